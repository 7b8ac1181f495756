# SPDX-License-Identifier: Apache-2.0
create table products (id serial primary key, name text, stock int);
create table orders (id serial primary key, product int references products, at timestamptz default now());
insert into products (name, stock) select 'product ' || n, 1000000 from generate_series(1, 500) n;
