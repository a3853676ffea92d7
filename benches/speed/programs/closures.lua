local function map(xs, f)
    local out = {}
    for i = 1, #xs do
        out[i] = f(xs[i])
    end
    return out
end

local function filter(xs, f)
    local out = {}
    for i = 1, #xs do
        if f(xs[i]) then
            out[#out + 1] = xs[i]
        end
    end
    return out
end

local function adder(k)
    return function(x) return x + k end
end

local function compose(f, g)
    return function(x) return g(f(x)) end
end

local function pipelines(n)
    local add = adder(3)
    local count = 0
    for _ = 1, n do
        local range = {}
        for i = 0, 99 do
            range[#range + 1] = i
        end
        local even = filter(map(range, add), function(x) return x % 2 == 0 end)
        count = count + #map(even, function(x) return x * x end)
    end
    return count
end

local function composed(n)
    local f = compose(adder(1), compose(function(x) return x * 3 end, function(x) return x % 10007 end))
    local x = 0
    for _ = 1, n do
        x = f(x)
    end
    return x
end

local function main(n)
    return pipelines(n) + composed(n * 50)
end

print(main(tonumber(arg[1])))
