// SPDX-License-Identifier: MIT
#include "security-server/exchange/exchange_table.h"

#include "lib/bus/directory_private.h"
#include "security-server/exchange/node.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

/* As much of a node as an exchange needs to live and to be freed. */
static struct node *stand(void)
{
    struct node *node = owned_new(sizeof *node);
    MUST(loop_new(&node->loop));
    node->directory = directory_new(NULL);
    return node;
}

static void stand_free(struct node **self)
{
    directory_release(&(*self)->directory);
    loop_free(&(*self)->loop);
    free(*self);
    *self = NULL;
}

/* Every exchange holds the directory: how many live? */
static size_t living(const struct node *node)
{
    return (size_t)node->directory->holders - 1;
}

static struct exchange *make(struct node *node, enum exchange_role role, uint64_t number)
{
    uint8_t id[EXCHANGE_ID_BYTES] = {0};
    memcpy(id, &number, sizeof number);
    return exchange_new(node, role, id);
}

static struct exchange *add(struct exchange_table *table, struct node *node,
                            enum exchange_role role, uint64_t number)
{
    struct exchange *x = make(node, role, number);
    MUST(exchange_table_add(table, x));
    return x;
}

static struct exchange *asked(struct exchange_table *table, uint64_t number)
{
    uint8_t id[EXCHANGE_ID_BYTES] = {0};
    memcpy(id, &number, sizeof number);
    return exchange_table_asked(table, id);
}

static void end(struct exchange_table *table, struct exchange *x)
{
    exchange_table_remove(table, x);
    exchange_free(&x);
}

static void test_no_more_are_taken_than_allowed(void)
{
    struct node *node = stand();
    OWNED(exchange_table) table = exchange_table_new(3);
    struct exchange *first = add(table, node, ROLE_CONSUMER, 1);
    add(table, node, ROLE_PROVIDER, 2);
    add(table, node, ROLE_CONSUMER, 3);
    struct exchange *asking = make(node, ROLE_CONSUMER, 4);
    struct exchange *serving = make(node, ROLE_PROVIDER, 5);
    MUST_FAIL(OVERLOADED, exchange_table_add(table, asking));
    MUST_FAIL(OVERLOADED, exchange_table_add(table, serving));
    CU_ASSERT_EQUAL(exchange_table_count(table), 3);
    CU_ASSERT_PTR_NULL(asked(table, 4));
    end(table, first);
    MUST(exchange_table_add(table, asking)); /* there is room again, for one */
    MUST_FAIL(OVERLOADED, exchange_table_add(table, serving));
    exchange_free(&serving); /* what was refused is still its maker's */
    exchange_table_free(&table);
    CU_ASSERT_EQUAL(living(node), 0);
    stand_free(&node);
}

static void test_an_id_that_is_in_flight_is_not_asked_under_again(void)
{
    struct node *node = stand();
    OWNED(exchange_table) table = exchange_table_new(10);
    struct exchange *first = add(table, node, ROLE_CONSUMER, 7);
    struct exchange *again = make(node, ROLE_CONSUMER, 7);
    MUST_FAIL(REPLAYED, exchange_table_add(table, again));
    CU_ASSERT_EQUAL(exchange_table_count(table), 1);
    exchange_table_remove(table, again); /* it never was in */
    CU_ASSERT_EQUAL(exchange_table_count(table), 1);
    CU_ASSERT_PTR_EQUAL(asked(table, 7), first);
    end(table, first);
    CU_ASSERT_PTR_NULL(asked(table, 7));
    MUST(exchange_table_add(table, again)); /* the first one is over */
    CU_ASSERT_PTR_EQUAL(asked(table, 7), again);
    exchange_table_free(&table);
    stand_free(&node);
}

/* Peers choose their ids: they meet neither ours nor one another's. */
static void test_ids_of_peers_do_not_meet_ours(void)
{
    struct node *node = stand();
    OWNED(exchange_table) table = exchange_table_new(10);
    struct exchange *peers = add(table, node, ROLE_PROVIDER, 7);
    CU_ASSERT_PTR_NULL(asked(table, 7));
    add(table, node, ROLE_PROVIDER, 7);
    struct exchange *ours = add(table, node, ROLE_CONSUMER, 7);
    CU_ASSERT_EQUAL(exchange_table_count(table), 3);
    end(table, peers);
    CU_ASSERT_PTR_EQUAL(asked(table, 7), ours);
    exchange_table_free(&table);
    stand_free(&node);
}

static void test_calls_are_numbered_and_found(void)
{
    struct node *node = stand();
    OWNED(exchange_table) table = exchange_table_new(200);
    struct exchange *x[100];
    CU_ASSERT_PTR_NULL(exchange_table_called(table, 0));
    for (uint64_t i = 0; i < 100; i++) {
        x[i] = add(table, node, ROLE_PROVIDER, i);
        CU_ASSERT_EQUAL(x[i]->call, 0);
        exchange_table_call(table, x[i]);
        CU_ASSERT_NOT_EQUAL(x[i]->call, 0);
        CU_ASSERT(i == 0 || x[i]->call != x[i - 1]->call);
    }
    for (size_t i = 0; i < 100; i++)
        CU_ASSERT_PTR_EQUAL(exchange_table_called(table, x[i]->call), x[i]);
    CU_ASSERT_PTR_NULL(exchange_table_called(table, x[99]->call + 1));
    exchange_table_free(&table);
    stand_free(&node);
}

static void test_a_call_that_is_over_is_found_no_more_and_its_number_not_given_again(void)
{
    struct node *node = stand();
    OWNED(exchange_table) table = exchange_table_new(10);
    struct exchange *x = add(table, node, ROLE_PROVIDER, 1);
    exchange_table_called_back(table, x); /* was never called */
    exchange_table_call(table, x);
    uint64_t first = x->call;
    exchange_table_called_back(table, x);
    CU_ASSERT_EQUAL(x->call, 0);
    CU_ASSERT_PTR_NULL(exchange_table_called(table, first));
    CU_ASSERT_EQUAL(exchange_table_count(table), 1);
    exchange_table_call(table, x);
    CU_ASSERT_NOT_EQUAL(x->call, first);
    CU_ASSERT_PTR_EQUAL(exchange_table_called(table, x->call), x);
    exchange_table_free(&table);
    stand_free(&node);
}

/* An answer of a gateway may come after its exchange has ended. */
static void test_an_exchange_that_is_removed_is_found_no_more(void)
{
    struct node *node = stand();
    OWNED(exchange_table) table = exchange_table_new(10);
    struct exchange *asking = add(table, node, ROLE_CONSUMER, 1);
    struct exchange *serving = add(table, node, ROLE_PROVIDER, 2);
    struct exchange *other = add(table, node, ROLE_PROVIDER, 3);
    exchange_table_call(table, serving);
    exchange_table_call(table, other);
    uint64_t call = serving->call;
    end(table, asking);
    end(table, serving);
    CU_ASSERT_PTR_NULL(asked(table, 1));
    CU_ASSERT_PTR_NULL(exchange_table_called(table, call));
    CU_ASSERT_PTR_EQUAL(exchange_table_called(table, other->call), other);
    CU_ASSERT_EQUAL(exchange_table_count(table), 1);
    CU_ASSERT_EQUAL(living(node), 1);
    end(table, other);
    CU_ASSERT_EQUAL(exchange_table_count(table), 0);
    stand_free(&node);
}

static void count_fire(struct loop_timer *timer)
{
    ++*(int *)timer->owner;
}

static void stop_loop(struct loop_timer *timer)
{
    loop_stop(timer->owner);
}

static void test_a_table_is_freed_with_all_that_live_in_it(void)
{
    struct node *node = stand();
    struct exchange_table *table = exchange_table_new(100);
    int fired = 0;
    for (uint64_t i = 0; i < 50; i++) {
        struct exchange *x = add(table, node, i % 2 == 0 ? ROLE_CONSUMER : ROLE_PROVIDER, i);
        x->client = owned_text("CO/GOV/1/APP");
        MUST(bytes_new(100, &x->request.blob));
        x->deadline = (struct loop_timer){.fire = count_fire, .owner = &fired};
        loop_set_timer(node->loop, &x->deadline, 0);
        if (i % 3 == 0)
            exchange_table_call(table, x);
    }
    CU_ASSERT_EQUAL(living(node), 50);
    exchange_table_free(&table);
    CU_ASSERT_PTR_NULL(table);
    CU_ASSERT_EQUAL(living(node), 0);
    struct loop_timer last = {.fire = stop_loop, .owner = node->loop};
    loop_set_timer(node->loop, &last, 0);
    MUST(loop_run(node->loop));
    CU_ASSERT_EQUAL(fired, 0); /* their deadlines went with them */
    exchange_table_free(&table);
    stand_free(&node);
}

SUITE(exchange_table, TEST(test_no_more_are_taken_than_allowed),
      TEST(test_an_id_that_is_in_flight_is_not_asked_under_again),
      TEST(test_ids_of_peers_do_not_meet_ours), TEST(test_calls_are_numbered_and_found),
      TEST(test_a_call_that_is_over_is_found_no_more_and_its_number_not_given_again),
      TEST(test_an_exchange_that_is_removed_is_found_no_more),
      TEST(test_a_table_is_freed_with_all_that_live_in_it))
