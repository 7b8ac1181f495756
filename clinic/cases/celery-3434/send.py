# SPDX-License-Identifier: Apache-2.0
from tasks import export, mail

export.delay()
for _ in range(30):
    mail.delay()
print("sent", flush=True)
