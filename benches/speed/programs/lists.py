import sys


def fill(n):
    xs = []
    for i in range(n):
        xs.append(i)
    for i in range(1, n):
        xs[i] = (xs[i] + xs[i - 1]) % 1000
    sum = 0
    for x in xs:
        sum += x
    return sum


def sieve(n):
    prime = []
    for _i in range(n):
        prime.append(True)
    count = 0
    for i in range(2, n):
        if prime[i]:
            count += 1
            at = i * i
            while at < n:
                prime[at] = False
                at += i
    return count


def matrix(n, seed):
    rows = []
    for i in range(n):
        row = []
        for j in range(n):
            row.append((i * seed + j) % 10)
        rows.append(row)
    return rows


def product(a, b, n):
    trace = 0
    for i in range(n):
        row = a[i]
        for j in range(n):
            sum = 0
            for k in range(n):
                sum += row[k] * b[k][j]
            if i == j:
                trace += sum
    return trace


def main(n):
    size = 100
    return fill(n) + sieve(n) + product(matrix(size, 3), matrix(size, 7), size)


print(main(int(sys.argv[1])))
