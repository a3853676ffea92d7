import sys


def count(n):
    counts = {}
    for i in range(n):
        key = f"key{i * 7 % 5000}"
        counts[key] = counts.get(key, 0) + 1
    return counts


def totals(counts, rounds):
    keys = list(counts)
    sum = 0
    for _round in range(rounds):
        for key in keys:
            if key in counts:
                sum += counts.get(key, 0)
        for _key, value in counts.items():
            sum += value % 3
    return sum


def main(n):
    return totals(count(n * 5000), n)


print(main(int(sys.argv[1])))
