local function text(n)
    local names = { "step", "run", "store", "value", "frame", "fiber", "list", "map", "text", "event" }
    local parts = {}
    local x = 7
    for _ = 1, n do
        x = (x * 75 + 74) % 65537
        parts[#parts + 1] = names[x % 10 + 1] .. x % 37
    end
    return table.concat(parts, " ")
end

local function split(text)
    local words = {}
    local word = ""
    for i = 1, #text do
        local c = text:sub(i, i)
        if c == " " then
            words[#words + 1] = word
            word = ""
        else
            word = word .. c
        end
    end
    words[#words + 1] = word
    return words
end

local function counted(words)
    local counts = {}
    for _, word in ipairs(words) do
        counts[word] = (counts[word] or 0) + 1
    end
    local all = {}
    for word, times in pairs(counts) do
        all[#all + 1] = { word = word, times = times }
    end
    return all
end

local function main(n)
    local best = 0
    for _ = 1, n do
        for _, count in ipairs(counted(split(text(1000)))) do
            if count.times > best then
                best = count.times
            end
        end
    end
    return best
end

print(main(tonumber(arg[1])))
