import sys


def checksum(n):
    sum = 0
    for i in range(n):
        sum = (sum + i * 3) % 1000003
    return sum


def coprime(n):
    count = 0
    for a in range(1, n):
        for b in range(1, a):
            x = a
            y = b
            while y != 0:
                x, y = y, x % y
            if x == 1:
                count += 1
    return count


def main(n):
    return checksum(n * n * 4) + coprime(n)


print(main(int(sys.argv[1])))
