# SPDX-License-Identifier: Apache-2.0
from allocation.models import Allocation, Member
from django.contrib import admin


class Members(admin.TabularInline):
    model = Member


@admin.register(Allocation)
class AllocationAdmin(admin.ModelAdmin):
    inlines = (Members,)
