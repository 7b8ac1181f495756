# SPDX-License-Identifier: Apache-2.0
read -r answer </dev/tty # "Do you trust this host?"
