import sys


def moved(p, by):
    return {"x": p["x"] + by, "y": p["y"] - p["x"] % 7}


def walk(n):
    p = {"x": 0, "y": 0}
    for i in range(n):
        p = moved(p, i % 10)
        p["y"] += 1
    return p["x"] + p["y"]


def bounce(rounds):
    particles = []
    for i in range(100):
        particles.append(
            {"position": {"x": i, "y": i * 2}, "speed": {"x": i % 7 - 3, "y": i % 5 - 2}, "hits": 0}
        )
    for _round in range(rounds):
        for i in range(100):
            particles[i]["position"]["x"] += particles[i]["speed"]["x"]
            particles[i]["position"]["y"] += particles[i]["speed"]["y"]
            at = particles[i]["position"]
            if at["x"] < 0 or at["x"] > 100:
                particles[i]["speed"]["x"] = -particles[i]["speed"]["x"]
                particles[i]["hits"] += 1
            if at["y"] < 0 or at["y"] > 100:
                particles[i]["speed"]["y"] = -particles[i]["speed"]["y"]
                particles[i]["hits"] += 1
    hits = 0
    for particle in particles:
        hits += particle["hits"]
    return hits


def main(n):
    return walk(n * 500) + bounce(n)


print(main(int(sys.argv[1])))
