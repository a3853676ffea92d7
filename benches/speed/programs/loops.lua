local function checksum(n)
    local sum = 0
    for i = 0, n - 1 do
        sum = (sum + i * 3) % 1000003
    end
    return sum
end

local function coprime(n)
    local count = 0
    for a = 1, n - 1 do
        for b = 1, a - 1 do
            local x, y = a, b
            while y ~= 0 do
                x, y = y, x % y
            end
            if x == 1 then
                count = count + 1
            end
        end
    end
    return count
end

local function main(n)
    return checksum(n * n * 4) + coprime(n)
end

print(main(tonumber(arg[1])))
