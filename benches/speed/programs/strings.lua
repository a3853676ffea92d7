local function letters(n)
    local alphabet = "abcdefghijklmnopqrstuvwxyz"
    -- Lua's texts do not grow in place; a table that is joined is how it is done there.
    local parts = {}
    for i = 0, n - 1 do
        local at = i % 26 + 1
        parts[#parts + 1] = alphabet:sub(at, at)
    end
    return table.concat(parts)
end

local function lines(n)
    local lines = {}
    for i = 0, n - 1 do
        lines[#lines + 1] = "line " .. i .. ": " .. i * i .. " of " .. n
    end
    return table.concat(lines, "\n")
end

local function vowels(text)
    local count = 0
    for i = 1, #text do
        local c = text:sub(i, i)
        if c == "a" or c == "e" or c == "i" or c == "o" or c == "u" then
            count = count + 1
        end
    end
    return count
end

local function main(n)
    local text = letters(n * 2)
    return vowels(text) + #lines(n) + #text
end

print(main(tonumber(arg[1])))
