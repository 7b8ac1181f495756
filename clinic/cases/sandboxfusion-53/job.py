import sys

for line in range(20_000):
    sys.stdout.write(f"result {line}: " + "x" * 80 + "\n")
