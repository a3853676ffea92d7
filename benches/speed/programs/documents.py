import json
import sys


def orders(n):
    orders = []
    for i in range(n):
        lines = []
        for j in range(3):
            lines.append({"sku": f"sku-{i}-{j}", "price": j * 1.25 + 0.5, "count": i % 9 + 1})
        orders.append(
            {"id": i, "customer": f"customer \"{i % 100}\"", "paid": i % 3 == 0, "note": None, "lines": lines}
        )
    return orders


def main(n):
    text = json.dumps(orders(100), separators=(",", ":"))
    sum = 0.0
    for _round in range(n):
        document = json.loads(text)
        for order in document:
            for line in order["lines"]:
                sum += line["price"] * line["count"]
        text = json.dumps(document, separators=(",", ":"))
    return sum + len(text)


print(main(int(sys.argv[1])))
