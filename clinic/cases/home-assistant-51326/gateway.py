# SPDX-License-Identifier: Apache-2.0
"""gateway.py PORT SERIAL: reads Modbus sensors twice a second each; GET / gives the values."""

import asyncio
import sys
import time

from pymodbus.client import ModbusSerialClient

client = ModbusSerialClient(sys.argv[2], baudrate=19200, timeout=1, retries=2)
values = {}


def read(device):
    return client.read_holding_registers(0, count=2, slave=device)  # <- reads


async def sensor(lock, device):
    while True:
        async with lock:
            try:
                answer = await asyncio.get_running_loop().run_in_executor(None, read, device)
                values[device] = answer.registers
            except Exception as error:
                values[device] = str(error)
        with open("polls.log", "a") as log:
            log.write(f"{time.monotonic():.2f} {device}\n")
        await asyncio.sleep(0.5)


async def serve(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    body = str(values).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    writer.close()


async def main():
    client.connect()
    lock = asyncio.Lock()
    sensors = [asyncio.create_task(sensor(lock, device)) for device in range(1, 7)]
    await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await asyncio.gather(*sensors)


asyncio.run(main())
