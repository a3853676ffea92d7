import sys


def numbers(n):
    xs = []
    x = 42
    for _i in range(n):
        x = (x * 1103515245 + 12345) % 2147483648
        xs.append(x % 100000)
    return xs


def shellsort(xs):
    xs = xs[:]
    for gap in [1750, 701, 301, 132, 57, 23, 10, 4, 1]:
        for i in range(gap, len(xs)):
            held = xs[i]
            at = i
            while at >= gap and xs[at - gap] > held:
                xs[at] = xs[at - gap]
                at -= gap
            xs[at] = held
    return xs


def quicksort(xs):
    if len(xs) < 2:
        return xs
    pivot = xs[0]
    less = []
    same = []
    more = []
    for x in xs:
        if x < pivot:
            less.append(x)
        elif x > pivot:
            more.append(x)
        else:
            same.append(x)
    return quicksort(less) + same + quicksort(more)


def main(n):
    xs = numbers(n)
    a = shellsort(xs)
    b = quicksort(xs)
    sum = 0
    for i, x in enumerate(a):
        sum = (sum + x * b[i]) % 1000003
    return sum


print(main(int(sys.argv[1])))
