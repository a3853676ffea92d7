import sys


def escapes(cr, ci, limit):
    zr = 0.0
    zi = 0.0
    for _step in range(limit):
        rr = zr * zr
        ii = zi * zi
        if rr + ii > 4.0:
            return True
        zi = 2.0 * zr * zi + ci
        zr = rr - ii + cr
    return False


def main(n):
    inside = 0
    for y in range(n):
        ci = 2.0 * y / n - 1.0
        for x in range(n):
            cr = 2.0 * x / n - 1.5
            if not escapes(cr, ci, 50):
                inside += 1
    return inside


print(main(int(sys.argv[1])))
