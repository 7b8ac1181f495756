# SPDX-License-Identifier: Apache-2.0
import sys

import networkx  # <- imports

graph = networkx.path_graph(10)
print(networkx.diameter(graph), len(sys.modules))
