local function grow(depth)
    if depth == 0 then
        return { left = nil, right = nil }
    end
    return { left = grow(depth - 1), right = grow(depth - 1) }
end

local function size(tree)
    local left, right = tree.left, tree.right
    if left == nil or right == nil then
        return 1
    end
    return 1 + size(left) + size(right)
end

local function main(n)
    local total = 0
    for _ = 1, n do
        total = total + size(grow(10))
    end
    return total
end

print(main(tonumber(arg[1])))
