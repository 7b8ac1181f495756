# SPDX-License-Identifier: Apache-2.0
# As git log --name-only of a repository with a long history.
seq -f "src/module%06.0f.c" 20000
