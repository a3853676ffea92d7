local function count(n)
    local counts = {}
    for i = 0, n - 1 do
        local key = "key" .. i * 7 % 5000
        counts[key] = (counts[key] or 0) + 1
    end
    return counts
end

local function totals(counts, rounds)
    local keys = {}
    for key in pairs(counts) do
        keys[#keys + 1] = key
    end
    local sum = 0
    for _ = 1, rounds do
        for _, key in ipairs(keys) do
            if counts[key] ~= nil then
                sum = sum + (counts[key] or 0)
            end
        end
        for _, value in pairs(counts) do
            sum = sum + value % 3
        end
    end
    return sum
end

local function main(n)
    return totals(count(n * 5000), n)
end

print(main(tonumber(arg[1])))
