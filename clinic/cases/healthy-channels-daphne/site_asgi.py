# SPDX-License-Identifier: Apache-2.0
import os

from django.core.asgi import get_asgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
pages = get_asgi_application()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402


def index(request):
    return JsonResponse({"users": User.objects.count()})


class Chat(AsyncJsonWebsocketConsumer):
    async def connect(self):
        await self.channel_layer.group_add("chat", self.channel_name)
        await self.accept()

    async def receive_json(self, content, **more):
        await self.channel_layer.group_send("chat", {"type": "chat.message", "text": content})

    async def chat_message(self, event):
        await self.send_json(event["text"])

    async def disconnect(self, code):
        await self.channel_layer.group_discard("chat", self.channel_name)


urlpatterns = [path("", index)]
application = ProtocolTypeRouter(
    {"http": pages, "websocket": URLRouter([path("chat", Chat.as_asgi())])}
)
