# SPDX-License-Identifier: Apache-2.0
# As rtl_fm does where no receiver is plugged in.
sleep 0.3
echo "No supported devices found." >&2
exit 1
