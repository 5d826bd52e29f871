// SPDX-License-Identifier: MIT
/* The page of chaski-audit report, made of forged logs: long ones, hostile ones, odd times. */
#include "tests/unit/tools/forge.h"
#include "tools/audit/page.h"

#define HOUR_MS (60 * FORGE_MINUTE_MS)
#define DAY_OF_MS (24 * HOUR_MS)
#define TURN "\xe2\x80\xae" /* what follows is written from right to left */

static char *page_path(const struct forge *self)
{
    static char path[300];
    snprintf(path, sizeof path, "%s.html", self->folder);
    return path;
}

/* STOPPED, checkpoint, directory; then the page. */
static struct bytes *page_of(struct forge *self, uint64_t expected)
{
    struct bytes *page = NULL;
    uint64_t findings = 0;
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    struct audit_arguments arguments = {
        .count = 1, .positional = {self->folder}, .html = page_path(self)};
    MUST(picture_command(&arguments, &findings));
    CU_ASSERT_EQUAL(findings, expected);
    MUST(file_read(page_path(self), 8u << 20, &page));
    return page;
}

static size_t times_in(const struct bytes *page, const char *words)
{
    size_t count = 0;
    struct span left = bytes_span(page);
    for (const uint8_t *at; (at = memmem(left.at, left.size, words, strlen(words))) != NULL;
         count++)
        left = span_of(at + 1, left.size - (size_t)(at + 1 - left.at));
    return count;
}

static struct forge *started(void)
{
    struct forge *self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    return self;
}

static void refuse(struct forge *self, const char *rule, enum fault_code code)
{
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    struct sha256 asked = forge_append(self, CALLER, &request, request.time_ms);
    struct header refusal = forge_header(self, PROVIDER, HEADER_FAULT);
    memcpy(refusal.exchange_id, request.exchange_id, EXCHANGE_ID_BYTES);
    refusal.has_reply_to = true;
    refusal.reply_to = asked;
    refusal.rule = span_of_text(rule);
    refusal.fault = code;
    forge_append(self, PROVIDER, &refusal, refusal.time_ms);
}

// --- counts -------------------------------------------------------------------------------------

static void test_exchanges_of_months_make_few_columns_and_none_is_lost(void)
{
    OWNED(forge) self = started();
    for (int day = 0; day < 90; day++) {
        for (int i = 0; i < 1 + day % 7; i++)
            forge_exchange(self);
        self->time_ms += DAY_OF_MS / 4;
    }
    refuse(self, "shared/no-purpose", ACCESS_DENIED);
    OWNED(bytes) page = page_of(self, 0);
    size_t columns = times_in(page, "<rect class=\"ok\"");
    CU_ASSERT(columns > 20 && columns <= 96);
    CU_ASSERT_EQUAL(times_in(page, "<b>358</b><span class=\"dim\">counted once each</span>"), 1);
    CU_ASSERT_EQUAL(times_in(page, "Answered</span><b>357</b>"), 1);
    CU_ASSERT_EQUAL(times_in(page, "Refused</span><b>1</b>"), 1);
    CU_ASSERT_EQUAL(times_in(page, "<bdi>shared/no-purpose</bdi>"), 1);
    CU_ASSERT(page->size < 300000);
}

static void test_the_same_log_twice_counts_once(void)
{
    OWNED(forge) self = started();
    uint64_t findings = 0;
    OWNED(bytes) page = NULL;
    for (int i = 0; i < 5; i++)
        forge_exchange(self);
    OWNED(bytes) one = page_of(self, 0);
    CU_ASSERT_EQUAL(unlink(page_path(self)), 0);
    struct audit_arguments arguments = {
        .count = 2, .positional = {self->folder, self->folder}, .html = page_path(self)};
    MUST(picture_command(&arguments, &findings));
    MUST(file_read(page_path(self), 8u << 20, &page));
    CU_ASSERT_EQUAL(times_in(one, "Answered</span><b>5</b>"), 1);
    CU_ASSERT_EQUAL(times_in(page, "Answered</span><b>5</b>"), 1);
    CU_ASSERT_EQUAL(times_in(page, "2 logs, 24 entries"), 1);
}

static void test_one_entry_of_another_century_does_not_squeeze_the_rest(void)
{
    OWNED(forge) self = started();
    for (int i = 0; i < 300; i++) {
        forge_exchange(self);
        self->time_ms += FORGE_MINUTE_MS;
    }
    struct header odd = forge_header(self, CALLER, HEADER_REQUEST);
    odd.time_ms = INT64_C(2500000000000); /* 2049 */
    forge_append(self, CALLER, &odd, odd.time_ms);
    OWNED(bytes) page = page_of(self, 1); /* dated after its certificate's end */
    CU_ASSERT(times_in(page, "<rect class=\"ok\"") > 20);
    CU_ASSERT(times_in(page, "exchanges are dated far outside") == 1);
}

static void test_latencies_are_told_in_quantiles(void)
{
    OWNED(forge) self = started();
    for (int i = 0; i < 99; i++)
        forge_exchange(self); /* 10 ms each */
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    struct sha256 asked = forge_append(self, CALLER, &request, request.time_ms);
    self->time_ms += 7000 - 10;
    struct header response = forge_header(self, PROVIDER, HEADER_RESPONSE);
    memcpy(response.exchange_id, request.exchange_id, EXCHANGE_ID_BYTES);
    response.has_reply_to = true;
    response.reply_to = asked;
    forge_append(self, PROVIDER, &response, response.time_ms);
    OWNED(bytes) page = page_of(self, 0);
    CU_ASSERT_EQUAL(times_in(page, "100 answers: half of them within <b>10 ms</b>"), 1);
    CU_ASSERT_EQUAL(times_in(page, "under 10 s: 1 answers"), 1);
    CU_ASSERT_EQUAL(times_in(page, "under 20 ms: 99 answers"), 1);
}

static void test_a_silent_day_is_told(void)
{
    OWNED(forge) self = started();
    forge_exchange(self);
    forge_own(self, HEADER_STOPPED);
    self->time_ms += 26 * HOUR_MS;
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    self->time_ms += 3 * HOUR_MS;
    forge_exchange(self);
    OWNED(bytes) page = page_of(self, 0);
    CU_ASSERT_EQUAL(times_in(page, "<td>the node had stopped</td>"), 1);
    CU_ASSERT_EQUAL(times_in(page, "<td>nothing was written</td>"), 1);
    CU_ASSERT_EQUAL(times_in(page, "<td>after entry 3</td>"), 1);
}

// --- strangers ----------------------------------------------------------------------------------

static void test_a_hostile_rule_stays_words(void)
{
    OWNED(forge) self = started();
    refuse(self, "<script>alert(1)</script>\"'&" TURN "<img src=x onerror=alert(1)>",
           ACCESS_DENIED);
    refuse(self, "</title></svg></table><style>*{display:none}</style>", INTERNAL);
    OWNED(bytes) page = page_of(self, 0);
    CU_ASSERT_EQUAL(times_in(page, "<script"), 0);
    CU_ASSERT_EQUAL(times_in(page, "<img"), 0);
    CU_ASSERT_EQUAL(times_in(page, "<style"), 1);
    CU_ASSERT_EQUAL(times_in(page, TURN), 0);
    CU_ASSERT(times_in(page, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\xe2\\x80\\xae"
                             "&lt;img src=x onerror=alert(1)&gt;") >= 1);
    CU_ASSERT_EQUAL(times_in(page, "<title"), times_in(page, "</title>"));
    CU_ASSERT_EQUAL(times_in(page, "<svg"), times_in(page, "</svg>"));
    CU_ASSERT_EQUAL(times_in(page, "<table"), times_in(page, "</table>"));
}

static void test_many_rules_and_findings_make_a_small_page(void)
{
    OWNED(forge) self = started();
    char rule[64];
    for (int i = 0; i < 60; i++) {
        snprintf(rule, sizeof rule, "rule/%d", i);
        refuse(self, rule, ACCESS_DENIED);
    }
    struct header odd = forge_header(self, CALLER, HEADER_REQUEST);
    for (int i = 0; i < 40; i++) { /* dated otherwise than signed: a finding each */
        random_fill(odd.exchange_id, sizeof odd.exchange_id);
        odd.time_ms = self->time_ms;
        forge_append(self, CALLER, &odd, self->time_ms + 5000);
    }
    OWNED(bytes) page = page_of(self, 40);
    CU_ASSERT_EQUAL(times_in(page, "<article class=\"finding\">"), 20);
    CU_ASSERT_EQUAL(times_in(page, "20 more by this rule: <code>chaski-audit verify</code>"), 1);
    CU_ASSERT_EQUAL(times_in(page, "<tr><td>45 others</td>"), 1);
    CU_ASSERT(page->size < 200000);
}

static void test_words_are_cut_by_characters_and_escaped_after(void)
{
    OWNED(page) page = page_new();
    page_cut(page, span_of_text("ñandú<ñ"), 6);
    page_cut(page, span_of_text("ñandú<ñ"), 7);
    page_words(page, span_of_text("a\nb\\\x01"));
    CU_ASSERT(
        span_is_text(page_span(page),
                     "<tspan class=\"iso\">ñandú…</tspan><tspan class=\"iso\">ñandú&lt;ñ</tspan>"
                     "<bdi>a\\x0ab\\\\\\x01</bdi>"));
}

static void test_figures_read_well(void)
{
    CU_ASSERT_STRING_EQUAL(figure_of(0).text, "0");
    CU_ASSERT_STRING_EQUAL(figure_of(999).text, "999");
    CU_ASSERT_STRING_EQUAL(figure_of(1234567).text, "1,234,567");
    CU_ASSERT_STRING_EQUAL(share_of(1, 8).text, "12.5 %");
    CU_ASSERT_STRING_EQUAL(time_of_ms(INT64_C(1795000000123)).text, "2026-11-18 11:06:40");
    CU_ASSERT_STRING_EQUAL(span_of_ms(999).text, "999 ms");
    CU_ASSERT_STRING_EQUAL(span_of_ms(12500).text, "12.5 s");
    CU_ASSERT_STRING_EQUAL(span_of_ms(60000).text, "1 min");
    CU_ASSERT_STRING_EQUAL(span_of_ms(7500000).text, "2 h 5 min");
    CU_ASSERT_STRING_EQUAL(span_of_ms(DAY_OF_MS).text, "a day");
    CU_ASSERT_STRING_EQUAL(span_of_ms(7 * DAY_OF_MS).text, "7 days");
}

SUITE(picture, TEST(test_exchanges_of_months_make_few_columns_and_none_is_lost),
      TEST(test_the_same_log_twice_counts_once),
      TEST(test_one_entry_of_another_century_does_not_squeeze_the_rest),
      TEST(test_latencies_are_told_in_quantiles), TEST(test_a_silent_day_is_told),
      TEST(test_a_hostile_rule_stays_words), TEST(test_many_rules_and_findings_make_a_small_page),
      TEST(test_words_are_cut_by_characters_and_escaped_after), TEST(test_figures_read_well))
