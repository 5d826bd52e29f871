// SPDX-License-Identifier: MIT
/* What is not there: stamps that came late or never, checkpoints without a quorum, silence. */
#include "tools/audit/picture.h"

#include <inttypes.h>
#include <stdlib.h>

// --- looking ------------------------------------------------------------------------------------

/* The first token over more than `index` entries; *next goes up with index. */
static int64_t stamp_over(const struct log *log, uint64_t index, size_t *next)
{
    while (*next < log->confirmations &&
           (log->confirmed[*next].size <= index || log->confirmed[*next].stamp_ms == 0))
        (*next)++;
    return *next < log->confirmations ? log->confirmed[*next].stamp_ms : 0;
}

/* What was written last may wait for its stamp still. */
static enum lane_state state_of(const struct lane *lane, const struct kept *kept, int64_t stamp_ms)
{
    int64_t waited_ms = (stamp_ms == 0 ? lane->last_ms : stamp_ms) - kept->time_ms;
    if (stamp_ms == 0)
        return waited_ms > WITNESS_ALARM_MS_DEFAULT ? LANE_NEVER : LANE_PENDING;
    return waited_ms > WITNESS_ALARM_MS_DEFAULT ? LANE_LATE : LANE_STAMPED;
}

static void note_late(struct lane *lane, const struct kept *kept, int64_t wait_ms, bool goes_on)
{
    if (!goes_on)
        lane->lates++;
    if (lane->lates > PICTURE_LATE)
        return;
    struct late *late = &lane->late[lane->lates - 1];
    if (!goes_on)
        *late = (struct late){.first = kept->index, .from_ms = kept->time_ms, .wait_ms = wait_ms};
    late->last = kept->index;
    late->until_ms = kept->time_ms;
    late->entries++;
    if (wait_ms > late->wait_ms && late->wait_ms != 0)
        late->wait_ms = wait_ms;
}

static void look_at_stamps(struct picture *self, const struct log *log, struct lane *lane)
{
    size_t next = 0;
    enum lane_state before = LANE_EMPTY;
    for (uint64_t i = 0; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        size_t bucket = 0;
        if (!kept_is_own(log, kept))
            continue;
        int64_t stamp_ms = stamp_over(log, i, &next);
        int64_t wait_ms = stamp_ms == 0 ? 0 : stamp_ms - kept->time_ms;
        enum lane_state state = state_of(lane, kept, stamp_ms);
        lane->unstamped += stamp_ms == 0;
        if (wait_ms > lane->longest_ms)
            lane->longest_ms = wait_ms;
        if (state >= LANE_LATE)
            note_late(lane, kept, wait_ms, state == before);
        before = state;
        if (axis_bucket(&self->axis, kept->time_ms, &bucket) && state > lane->state[bucket])
            lane->state[bucket] = state;
    }
}

/* The longest ones, the longest first. */
static void note_silence(struct lane *lane, const struct silence *one)
{
    int64_t length = one->until_ms - one->from_ms;
    size_t at = lane->silences;
    if (at < PICTURE_LATE)
        lane->silences++;
    else
        at = PICTURE_LATE;
    for (; at > 0; at--) {
        const struct silence *before = &lane->silence[at - 1];
        if (before->until_ms - before->from_ms >= length)
            break;
        if (at < PICTURE_LATE)
            lane->silence[at] = *before;
    }
    if (at < PICTURE_LATE)
        lane->silence[at] = *one;
}

static void look_at_entries(struct picture *self, const struct log *log, struct lane *lane)
{
    for (uint64_t i = log->first; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        size_t bucket = 0;
        if (kept->kind == 0 || kept->kind >= HEADER_KINDS_END) {
            lane->unreadable++;
            continue;
        }
        lane->kinds[kept->kind]++;
        if (axis_bucket(&self->axis, kept->time_ms, &bucket))
            lane->entries[bucket]++;
        if (lane->last_ms != 0 && kept->time_ms - lane->last_ms > HEARTBEAT_MS) {
            struct silence silence = {.after = i - 1,
                                      .from_ms = lane->last_ms,
                                      .until_ms = kept->time_ms,
                                      .stopped = log->entry[i - 1].kind == HEADER_STOPPED};
            note_silence(lane, &silence);
        }
        if (lane->first_ms == 0 || kept->time_ms < lane->first_ms)
            lane->first_ms = kept->time_ms;
        if (kept->time_ms > lane->last_ms)
            lane->last_ms = kept->time_ms;
    }
}

static void look_at_checkpoints(const struct log *log, struct lane *lane)
{
    for (size_t i = 0; i < log->confirmations; i++) {
        lane->stamps += log->confirmed[i].stamp_ms != 0;
        lane->unquorate += log->confirmed[i].good < log->confirmed[i].quorum;
    }
}

void picture_look_for_gaps(struct picture *self)
{
    self->lane = owned_array(self->verify->logs + 1, sizeof *self->lane);
    for (size_t i = 0; i < self->verify->logs; i++) {
        const struct log *log = &self->verify->log[i];
        if (log->view == NULL)
            continue;
        look_at_entries(self, log, &self->lane[i]);
        look_at_checkpoints(log, &self->lane[i]);
        look_at_stamps(self, log, &self->lane[i]);
    }
}

// --- showing ------------------------------------------------------------------------------------

static void put_late(struct picture *self, const struct log *log, const struct late *late)
{
    page_text(self->page, "<tr><td>");
    picture_put_whose(self, log);
    page_put(self->page,
             "</td><td>%s to %s</td><td class=\"n\">%s</td><td>entries %" PRIu64 " to %" PRIu64
             "</td>",
             time_of_ms(late->from_ms).text, time_of_ms(late->until_ms).text,
             figure_of(late->entries).text, late->first, late->last);
    if (late->wait_ms == 0)
        page_text(self->page, "<td>never stamped</td></tr>\n");
    else
        page_put(self->page, "<td>stamped after up to %s</td></tr>\n",
                 span_of_ms(late->wait_ms).text);
}

static size_t lates_of(const struct picture *self, size_t i)
{
    return self->verify->log[i].view == NULL ? 0 : self->lane[i].lates;
}

static void put_lates(struct picture *self)
{
    size_t all = 0, shown = 0;
    for (size_t i = 0; i < self->verify->logs; i++)
        all += lates_of(self, i);
    if (all == 0) {
        page_text(self->page, "<p>No entry waited longer than 15 minutes for a time stamp.</p>\n");
        return;
    }
    page_text(self->page,
              "<table><caption>Own entries that waited longer than 15 minutes for a time stamp"
              "</caption><thead><tr><th>log</th><th>dated (UTC)</th><th class=\"n\">entries</th>"
              "<th>which</th><th>confirmed</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < self->verify->logs; i++)
        for (size_t k = 0; k < lates_of(self, i) && k < PICTURE_LATE; k++, shown++)
            put_late(self, &self->verify->log[i], &self->lane[i].late[k]);
    page_text(self->page, "</tbody></table>\n");
    if (shown < all)
        page_put(self->page, "<p class=\"more\">… and %zu more stretches.</p>\n", all - shown);
}

static void put_silence(struct picture *self, const struct log *log, const struct silence *silence)
{
    page_text(self->page, "<tr><td>");
    picture_put_whose(self, log);
    page_put(self->page,
             "</td><td>%s to %s</td><td class=\"n\">%s</td><td>after entry %" PRIu64
             "</td><td>%s</td></tr>\n",
             time_of_ms(silence->from_ms).text, time_of_ms(silence->until_ms).text,
             span_of_ms(silence->until_ms - silence->from_ms).text, silence->after,
             silence->stopped ? "the node had stopped" : "nothing was written");
}

static void put_silences(struct picture *self)
{
    size_t all = 0;
    for (size_t i = 0; i < self->verify->logs; i++)
        all += self->lane[i].silences;
    if (all == 0) {
        page_text(self->page, "<p>No log was silent for longer than an hour.</p>\n");
        return;
    }
    page_put(self->page,
             "<table><caption>Longer than an hour without any entry (the longest %d of each log)"
             "</caption><thead><tr><th>log</th><th>dated (UTC)</th><th class=\"n\">for</th>"
             "<th>where</th><th>why</th></tr></thead><tbody>\n",
             PICTURE_LATE);
    for (size_t i = 0; i < self->verify->logs; i++)
        for (size_t k = 0; self->verify->log[i].view != NULL && k < self->lane[i].silences; k++)
            put_silence(self, &self->verify->log[i], &self->lane[i].silence[k]);
    page_text(self->page, "</tbody></table>\n");
}

static void put_confirmation(struct picture *self, const struct log *log, const struct lane *lane)
{
    page_text(self->page, "<tr><td>");
    picture_put_whose(self, log);
    page_put(self->page,
             "</td><td class=\"n\">%s</td><td class=\"n%s\">%s</td><td class=\"n\">%s</td>"
             "<td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
             figure_of(log->confirmations).text, lane->unquorate > 0 ? " warn" : "",
             figure_of(lane->unquorate).text, figure_of(lane->stamps).text,
             lane->stamps > 0 ? span_of_ms(lane->longest_ms).text : "\u2013",
             figure_of(lane->unstamped).text);
}

void picture_put_gaps(struct picture *self)
{
    page_text(
        self->page,
        "<section id=\"gaps\"><h2>Gaps</h2>\n<p>Each minute with traffic a log's checkpoint is "
        "to be confirmed by other members' servers (witnesses) and by a time-stamping "
        "authority. What was confirmed late, or never, rests until then on what its peers have "
        "seen of it.</p>\n"
        "<table><caption>Confirmations by log</caption><thead><tr><th>log</th>"
        "<th class=\"n\">checkpoints kept</th><th class=\"n\">of them without a quorum</th>"
        "<th class=\"n\">time stamps</th><th class=\"n\">longest wait</th>"
        "<th class=\"n\">own entries not stamped</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < self->verify->logs; i++)
        if (self->verify->log[i].view != NULL)
            put_confirmation(self, &self->verify->log[i], &self->lane[i]);
    page_text(self->page, "</tbody></table>\n");
    put_lates(self);
    put_silences(self);
    page_text(self->page, "</section>\n");
}
