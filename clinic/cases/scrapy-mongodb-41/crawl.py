# SPDX-License-Identifier: Apache-2.0
import os
import time

import scrapy
from pymongo import MongoClient
from pymongo.server_api import ServerApi
from scrapy.crawler import CrawlerProcess


class MongoPipeline:
    def open_spider(self, spider):
        self.client = MongoClient(os.environ["MONGO"], server_api=ServerApi("1"))
        self.articles = self.client["shop"]["articles"]

    def process_item(self, item, spider):
        self.articles.insert_one(dict(item))  # <- stores
        return item


class Shop(scrapy.Spider):
    name = "shop"
    start_urls = (os.environ["SHOP"],)

    def parse(self, response):
        print(f"{time.monotonic():.2f} {response.url}", flush=True)
        for row in response.css("li"):
            yield {"article": row.css("::text").get()}
            yield response.follow(row.css("a").attrib["href"], self.parse)


process = CrawlerProcess(
    {
        "LOG_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "ITEM_PIPELINES": {MongoPipeline: 100},
    }
)
process.crawl(Shop)
process.start()
