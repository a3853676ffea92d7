import sys


def text(n):
    names = ["step", "run", "store", "value", "frame", "fiber", "list", "map", "text", "event"]
    parts = []
    x = 7
    for _i in range(n):
        x = (x * 75 + 74) % 65537
        parts.append(f"{names[x % 10]}{x % 37}")
    return " ".join(parts)


def split(text):
    words = []
    word = ""
    for i in range(len(text)):
        c = text[i]
        if c == " ":
            words.append(word)
            word = ""
        else:
            word += c
    words.append(word)
    return words


def counted(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    all = []
    for word, times in counts.items():
        all.append({"word": word, "times": times})
    return all


def main(n):
    best = 0
    for _round in range(n):
        for count in counted(split(text(1000))):
            if count["times"] > best:
                best = count["times"]
    return best


print(main(int(sys.argv[1])))
