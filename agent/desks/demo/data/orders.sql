-- Order book of the demo shop, loaded by tools.py. Invented orders, no customers.
-- `day` is counted from the day of the question (negative: in the past), so that the demo does not age:
-- the promised day while an order is under way, else the day on which the state was reached.

CREATE TABLE orders (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 10000 AND 99999),
    status TEXT NOT NULL CHECK (status IN (
        'processing', 'pre-ordered', 'shipped', 'out for delivery', 'ready to collect', 'at pick-up point',
        'delivered', 'delayed', 'returned', 'refunded', 'cancelled')),
    day INTEGER NOT NULL,
    items INTEGER NOT NULL CHECK (items > 0),
    store TEXT CHECK (store IN ('Dublin', 'Cork', 'Galway', 'Amsterdam'))  -- collection orders only
);

INSERT INTO orders (number, status, day, items, store) VALUES
    (10314, 'delivered',        -21, 1, NULL),
    (10318, 'refunded',          -4, 2, NULL),
    (10321, 'delivered',        -12, 3, NULL),
    (10325, 'returned',          -2, 1, NULL),
    (10327, 'cancelled',         -9, 1, NULL),
    (10329, 'delivered',         -6, 4, NULL),
    (10331, 'delayed',            4, 1, NULL),
    (10334, 'refunded',          -1, 1, NULL),
    (10336, 'at pick-up point',   5, 2, NULL),
    (10338, 'delivered',         -2, 1, NULL),
    (10340, 'shipped',            1, 2, NULL),
    (10342, 'shipped',            2, 1, NULL),
    (10345, 'out for delivery',   0, 3, NULL),
    (10347, 'delayed',            6, 2, NULL),
    (10350, 'ready to collect',   6, 1, 'Dublin'),
    (10352, 'ready to collect',   3, 2, 'Amsterdam'),
    (10355, 'shipped',            3, 5, NULL),
    (10358, 'out for delivery',   0, 1, NULL),
    (10361, 'returned',          -1, 2, NULL),
    (10364, 'cancelled',         -3, 2, NULL),
    (10366, 'processing',         4, 1, NULL),
    (10369, 'processing',         5, 2, 'Cork'),
    (10372, 'pre-ordered',       24, 1, NULL),
    (10375, 'processing',         6, 6, NULL),
    (10378, 'processing',         3, 1, NULL),
    (10381, 'pre-ordered',       40, 1, NULL);
