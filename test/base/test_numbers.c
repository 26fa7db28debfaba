/* Hashes, random numbers, histograms. */
#include "test.h"

#include "base/hash.c"
#include "base/histogram.c"
#include "base/random.c"

/* Known answers of the authors' own test: Random123, kat_vectors. */
TEST(philox_gives_the_known_answers)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint32_t out[4];

        philox(rows[i].counter, rows[i].key, out);
        assert_memory_equal(out, rows[i].out, sizeof out);
    }
    CHECK(random_at(0, 0, 0) == 0xe169c58d6627e8d5u);
    CHECK(random_at(0, 0, 1) == 0x9b00dbd8bc57ac4cu);
}

TEST(a_series_can_be_made_in_any_order)
{
    struct random random;

    random_init(&random, 42, 7);
    for (uint64_t i = 0; i < 1000; i++)
        CHECK(random_next(&random) == random_at(42, 7, i));
    CHECK(random_at(42, 7, 5) != random_at(42, 8, 5));
    CHECK(random_at(42, 7, 5) != random_at(43, 7, 5));
}

TEST(random_numbers_below_a_limit_are_even)
{
    enum { ROUNDS = 120000, SIDES = 12 };
    unsigned seen[SIDES] = {0};
    double sum = 0;
    struct random random;

    random_init(&random, 3, 0);
    for (int i = 0; i < ROUNDS; i++)
        seen[random_below(&random, SIDES)]++;
    for (int i = 0; i < SIDES; i++)
        CHECK(seen[i] > ROUNDS / SIDES * 95 / 100 && seen[i] < ROUNDS / SIDES * 105 / 100);
    for (int i = 0; i < ROUNDS; i++) {
        double unit = random_unit(&random);

        CHECK(unit >= 0 && unit < 1);
        sum += unit;
    }
    CHECK_NEAR(sum / ROUNDS, 0.5, 0.01);
    CHECK(random_below(&random, 1) == 0);
    CHECK(random_below(&random, UINT64_MAX) < UINT64_MAX);
}

/* The values that xxHash's own documentation and its xxhsum program give for an empty input. */
TEST(hashes_are_those_of_xxhash)
{
    char text[HASH128_TEXT_BYTES];

    CHECK(hash_bytes("", 0, 0) == 0x2d06800538d394c2u);
    hash128_to_text(hash128_bytes("", 0), text);
    CHECK_TEXT(text, "99aa06d3014798d86001c324468d497f");
    CHECK(hash_bytes("a", 1, 0) != hash_bytes("a", 1, 1));
}

TEST(a_bucket_is_never_wider_than_a_64th_of_its_values)
{
    uint64_t last = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t end = bucket_last(i);

        CHECK_INT(bucket_of(end), i);
        CHECK_INT(bucket_of(i == 0 ? 0 : last + 1), i);
        if (i >= PARTS)
            CHECK(end - last <= (last + 1) / PARTS);
        last = end;
    }
    CHECK(last == UINT64_MAX);
}

TEST(quantiles_are_right_to_a_64th)
{
    struct histogram a, b;

    histogram_init(&a);
    histogram_init(&b);
    CHECK_INT(histogram_quantile(&a, 0.5), 0);
    CHECK(histogram_mean(&a) == 0);
    for (uint64_t value = 1; value <= 100000; value++)
        histogram_add(value % 2 ? &a : &b, value);
    histogram_merge(&a, &b);
    CHECK_INT(a.count, 100000);
    CHECK_INT(a.min, 1);
    CHECK_INT(a.max, 100000);
    CHECK_NEAR((double)histogram_quantile(&a, 0.5), 50000, 1.0 / 64);
    CHECK_NEAR((double)histogram_quantile(&a, 0.99), 99000, 1.0 / 64);
    CHECK_INT(histogram_quantile(&a, 1), 100000);
    CHECK_INT(histogram_quantile(&a, 0), 1);
    CHECK(histogram_mean(&a) == 50000.5);
}
