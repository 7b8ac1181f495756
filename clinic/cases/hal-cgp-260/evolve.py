# SPDX-License-Identifier: Apache-2.0
import random
from concurrent.futures import ProcessPoolExecutor


def fitness(genome):
    return -sum((x * x * genome[0] + x * genome[1] + genome[2] - x**3) ** 2 for x in range(40))


def mutated(genome):
    return [gene + random.gauss(0, 0.1) for gene in genome]


def main():
    parents = [[random.random() for _ in range(3)] for _ in range(10)]
    while True:
        children = parents + [mutated(random.choice(parents)) for _ in range(40)]
        with ProcessPoolExecutor(max_workers=4) as pool:  # <- pool
            scores = list(pool.map(fitness, children))  # <- pool
        best = sorted(zip(scores, children, strict=True), reverse=True)[:10]
        parents = [genome for _, genome in best]


if __name__ == "__main__":
    main()
