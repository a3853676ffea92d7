local function fill(n)
    local xs = {}
    for i = 0, n - 1 do
        xs[#xs + 1] = i
    end
    for i = 2, n do
        xs[i] = (xs[i] + xs[i - 1]) % 1000
    end
    local sum = 0
    for _, x in ipairs(xs) do
        sum = sum + x
    end
    return sum
end

local function sieve(n)
    local prime = {}
    for _ = 1, n do
        prime[#prime + 1] = true
    end
    local count = 0
    for i = 2, n - 1 do
        if prime[i + 1] then
            count = count + 1
            local at = i * i
            while at < n do
                prime[at + 1] = false
                at = at + i
            end
        end
    end
    return count
end

local function matrix(n, seed)
    local rows = {}
    for i = 0, n - 1 do
        local row = {}
        for j = 0, n - 1 do
            row[#row + 1] = (i * seed + j) % 10
        end
        rows[#rows + 1] = row
    end
    return rows
end

local function product(a, b, n)
    local trace = 0
    for i = 1, n do
        local row = a[i]
        for j = 1, n do
            local sum = 0
            for k = 1, n do
                sum = sum + row[k] * b[k][j]
            end
            if i == j then
                trace = trace + sum
            end
        end
    end
    return trace
end

local function main(n)
    local size = 100
    return fill(n) + sieve(n) + product(matrix(size, 3), matrix(size, 7), size)
end

print(main(tonumber(arg[1])))
