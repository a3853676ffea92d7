import sys


def letters(n):
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    text = ""
    for i in range(n):
        text += alphabet[i % 26]
    return text


def lines(n):
    lines = []
    for i in range(n):
        lines.append(f"line {i}: {i * i} of {n}")
    return "\n".join(lines)


def vowels(text):
    count = 0
    for i in range(len(text)):
        c = text[i]
        if c == "a" or c == "e" or c == "i" or c == "o" or c == "u":
            count += 1
    return count


def main(n):
    text = letters(n * 2)
    return vowels(text) + len(lines(n)) + len(text)


print(main(int(sys.argv[1])))
