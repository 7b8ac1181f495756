# SPDX-License-Identifier: Apache-2.0
import os

import casbin
from casbin_sqlalchemy_adapter import Adapter

url = f"mysql+pymysql://root@127.0.0.1:{os.environ['DB']}/rules"
enforcer = casbin.Enforcer("model.conf", "policy.csv")
enforcer.set_adapter(Adapter(url))
enforcer.save_policy()  # <- saves
