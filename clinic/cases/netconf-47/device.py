# SPDX-License-Identifier: Apache-2.0
"""device.py ADDRESS PORT: a device that needs 3 s to list its alarms from the fifth time on."""

import sys
import threading
import time

import netconf.server
import netconf.util
import paramiko

asked = {"alarms": 0}
paramiko.RSAKey.generate(2048).write_private_key_file("key")


class Device:
    def nc_append_capabilities(self, capabilities):
        pass

    def rpc_get(self, session, rpc, filter_or_none):
        what = filter_or_none[0].tag
        if what.endswith("alarms"):
            asked["alarms"] += 1
            if asked["alarms"] >= 5:
                time.sleep(3)
        return netconf.util.elm("data")


users = netconf.server.SSHUserPassController(username="admin", password="secret")
server = netconf.server.NetconfSSHServer(
    server_ctl=users, server_methods=Device(), port=int(sys.argv[2]), host_key="key"
)
threading.Event().wait()
