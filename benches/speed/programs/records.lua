local function moved(p, by)
    return { x = p.x + by, y = p.y - p.x % 7 }
end

local function walk(n)
    local p = { x = 0, y = 0 }
    for i = 0, n - 1 do
        p = moved(p, i % 10)
        p.y = p.y + 1
    end
    return p.x + p.y
end

local function bounce(rounds)
    local particles = {}
    for i = 0, 99 do
        particles[#particles + 1] =
            { position = { x = i, y = i * 2 }, speed = { x = i % 7 - 3, y = i % 5 - 2 }, hits = 0 }
    end
    for _ = 1, rounds do
        for i = 1, 100 do
            particles[i].position.x = particles[i].position.x + particles[i].speed.x
            particles[i].position.y = particles[i].position.y + particles[i].speed.y
            local at = particles[i].position
            if at.x < 0 or at.x > 100 then
                particles[i].speed.x = -particles[i].speed.x
                particles[i].hits = particles[i].hits + 1
            end
            if at.y < 0 or at.y > 100 then
                particles[i].speed.y = -particles[i].speed.y
                particles[i].hits = particles[i].hits + 1
            end
        end
    end
    local hits = 0
    for _, particle in ipairs(particles) do
        hits = hits + particle.hits
    end
    return hits
end

local function main(n)
    return walk(n * 500) + bounce(n)
end

print(main(tonumber(arg[1])))
