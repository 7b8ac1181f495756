# SPDX-License-Identifier: Apache-2.0
from twisted.protocols import amp


class ToServer(amp.Command):
    arguments = [(b"session", amp.Integer()), (b"text", amp.Unicode())]


class ToPortal(amp.Command):
    arguments = [(b"session", amp.Integer()), (b"text", amp.Unicode())]
