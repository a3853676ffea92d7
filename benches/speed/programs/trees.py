import sys


def grow(depth):
    if depth == 0:
        return {"left": None, "right": None}
    return {"left": grow(depth - 1), "right": grow(depth - 1)}


def size(tree):
    left = tree["left"]
    right = tree["right"]
    if left is None or right is None:
        return 1
    return 1 + size(left) + size(right)


def main(n):
    total = 0
    for _round in range(n):
        total += size(grow(10))
    return total


print(main(int(sys.argv[1])))
