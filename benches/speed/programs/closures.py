import sys


def adder(k):
    return lambda x: x + k


def compose(f, g):
    return lambda x: g(f(x))


def pipelines(n):
    add = adder(3)
    count = 0
    for _round in range(n):
        count += len(list(map(lambda x: x * x, filter(lambda x: x % 2 == 0, map(add, range(100))))))
    return count


def composed(n):
    f = compose(adder(1), compose(lambda x: x * 3, lambda x: x % 10007))
    x = 0
    for _round in range(n):
        x = f(x)
    return x


def main(n):
    return pipelines(n) + composed(n * 50)


print(main(int(sys.argv[1])))
