local function escapes(cr, ci, limit)
    local zr, zi = 0.0, 0.0
    for _ = 1, limit do
        local rr, ii = zr * zr, zi * zi
        if rr + ii > 4.0 then
            return true
        end
        zi = 2.0 * zr * zi + ci
        zr = rr - ii + cr
    end
    return false
end

local function main(n)
    local inside = 0
    for y = 0, n - 1 do
        local ci = 2.0 * y / n - 1.0
        for x = 0, n - 1 do
            local cr = 2.0 * x / n - 1.5
            if not escapes(cr, ci, 50) then
                inside = inside + 1
            end
        end
    end
    return inside
end

print(main(tonumber(arg[1])))
