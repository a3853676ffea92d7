local function numbers(n)
    local xs = {}
    local x = 42
    for _ = 1, n do
        x = (x * 1103515245 + 12345) % 2147483648
        xs[#xs + 1] = x % 100000
    end
    return xs
end

local function shellsort(list)
    local xs = table.move(list, 1, #list, 1, {})
    for _, gap in ipairs { 1750, 701, 301, 132, 57, 23, 10, 4, 1 } do
        for i = gap + 1, #xs do
            local held = xs[i]
            local at = i
            while at > gap and xs[at - gap] > held do
                xs[at] = xs[at - gap]
                at = at - gap
            end
            xs[at] = held
        end
    end
    return xs
end

local function joined(a, b, c)
    local xs = table.move(a, 1, #a, 1, {})
    table.move(b, 1, #b, #xs + 1, xs)
    return table.move(c, 1, #c, #xs + 1, xs)
end

local function quicksort(xs)
    if #xs < 2 then
        return xs
    end
    local pivot = xs[1]
    local less, same, more = {}, {}, {}
    for _, x in ipairs(xs) do
        if x < pivot then
            less[#less + 1] = x
        elseif x > pivot then
            more[#more + 1] = x
        else
            same[#same + 1] = x
        end
    end
    return joined(quicksort(less), same, quicksort(more))
end

local function main(n)
    local xs = numbers(n)
    local a = shellsort(xs)
    local b = quicksort(xs)
    local sum = 0
    for i, x in ipairs(a) do
        sum = (sum + x * b[i]) % 1000003
    end
    return sum
end

print(main(tonumber(arg[1])))
