"""小微经营贷准入评分卡：逻辑回归，固定步长，无随机性。python3 train.py 可复现 iterations.csv。"""

import csv
import math

ITERATIONS = 600
STEP = 0.1

with open("samples.csv", encoding="utf-8", newline="") as file:
    rows = [[float(value) for value in row] for row in list(csv.reader(file))[1:]]
points = [(row[:-1], row[-1]) for row in rows]
weights = [0.0] * (len(points[0][0]) + 1)


def score(features):
    z = weights[0] + sum(w * x for w, x in zip(weights[1:], features))
    return 1.0 / (1.0 + math.exp(-z))


with open("iterations.csv", "w", encoding="utf-8", newline="\n") as log:
    log.write("iteration,loss," + ",".join(f"w{i}" for i in range(len(weights))) + "\n")
    for iteration in range(1, ITERATIONS + 1):
        gradient = [0.0] * len(weights)
        loss = 0.0
        for features, label in points:
            p = score(features)
            loss -= math.log(p if label == 1.0 else 1.0 - p)
            for i, x in enumerate([1.0, *features]):
                gradient[i] += (p - label) * x
        weights = [w - STEP * g / len(points) for w, g in zip(weights, gradient)]
        if iteration % 100 == 0:
            log.write(f"{iteration},{loss / len(points):.6f}," + ",".join(f"{w:.6f}" for w in weights) + "\n")

good = [score(f) for f, label in points if label == 1.0]
bad = [score(f) for f, label in points if label == 0.0]
wins = sum((g > b) + 0.5 * (g == b) for g in good for b in bad)
print(f"AUC {wins / (len(good) * len(bad)):.6f}")
limits = sorted({score(f) for f, _ in points})
ks = max(abs(sum(g <= t for g in good) / len(good) - sum(b <= t for b in bad) / len(bad)) for t in limits)
print(f"KS {ks:.6f}")
