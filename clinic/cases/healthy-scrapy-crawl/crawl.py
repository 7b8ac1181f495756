# SPDX-License-Identifier: Apache-2.0
import os

import scrapy
from scrapy.crawler import CrawlerProcess


class Shop(scrapy.Spider):
    name = "shop"
    start_urls = (os.environ["SHOP"],)

    def parse(self, response):
        for row in response.css("li"):
            yield {"article": row.css("::text").get()}
            yield response.follow(row.css("a").attrib["href"], self.parse)


process = CrawlerProcess(
    {
        "LOG_LEVEL": "INFO",
        "CONCURRENT_REQUESTS_PER_DOMAIN": 4,
        "DOWNLOAD_DELAY": 0.02,
        "FEEDS": {"articles.jsonl": {"format": "jsonlines"}},
    }
)
process.crawl(Shop)
process.start()
