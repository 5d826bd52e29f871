// SPDX-License-Identifier: MIT
#include "lib/base/config.h"
#include "lib/base/file.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct door {
    char *title;
    char *address;
    int64_t wait_ms;
    struct config_list callers;
};

struct house {
    int64_t rooms;
    int64_t colour;
    char *name;
    char *motto;
    struct config_list guests;
    struct config_list pets;
    struct config_sections doors;
    struct config_sections windows;
};

static const struct config_setting door_settings[] = {
    {.name = "address",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct door, address),
     .least = 1,
     .most = 20,
     .sentence = "where it leads"},
    {.name = "wait_ms",
     .kind = CONFIG_NUMBER,
     .offset = offsetof(struct door, wait_ms),
     .number = 1000,
     .least = 50,
     .most = 600000,
     .sentence = "how long to knock (milliseconds)"},
    {.name = "callers",
     .kind = CONFIG_LIST,
     .offset = offsetof(struct door, callers),
     .text = "",
     .sentence = "who may knock"},
    {.name = NULL},
};

static const struct config_setting house_settings[] = {
    {.name = "rooms",
     .kind = CONFIG_NUMBER,
     .offset = offsetof(struct house, rooms),
     .number = 3,
     .least = -5,
     .most = INT64_MAX,
     .sentence = "how many rooms"},
    {.name = "colour",
     .kind = CONFIG_CHOICE,
     .offset = offsetof(struct house, colour),
     .text = "green",
     .choices = "red|green|blue",
     .sentence = "its colour"},
    {.name = "name",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct house, name),
     .most = 10,
     .sentence = "what it is called"},
    {.name = "motto",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct house, motto),
     .text = "",
     .sentence = "above the door"},
    {.name = "guests",
     .kind = CONFIG_LIST,
     .offset = offsetof(struct house, guests),
     .text = "ana,luis",
     .sentence = "who lives there"},
    {.name = "pets",
     .kind = CONFIG_LIST,
     .offset = offsetof(struct house, pets),
     .text = "",
     .sentence = "and their animals"},
    {.name = "door",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct house, doors),
     .section = door_settings,
     .section_size = sizeof(struct door),
     .sentence = "A way in."},
    {.name = "window",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct house, windows),
     .section = door_settings,
     .section_size = sizeof(struct door),
     .sentence = "Another way in."},
    {.name = NULL},
};

static struct house house;
static char path[256];
static const char *folder;

static const char *write_in_folder(const char *name, const char *text)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    MUST(file_replace(path, span_of_text(text), 0600));
    return path;
}

static fault read_text(const char *text)
{
    folder = unit_folder();
    house = (struct house){0};
    return config_read(write_in_folder("house.conf", text), NULL, house_settings, &house);
}

static void clear(void)
{
    config_clear(house_settings, &house);
    CU_ASSERT_PTR_NULL(house.name);
    CU_ASSERT_EQUAL(house.doors.count, 0);
}

/* The fault is BAD_CONFIG and its detail holds these words. */
static void must_refuse(const char *text, const char *first, const char *second)
{
    MUST_FAIL(BAD_CONFIG, read_text(text));
    bool said = strstr(fault_detail(), first) != NULL && strstr(fault_detail(), second) != NULL;
    if (!said)
        fprintf(stderr, "  said: %s\n", fault_detail());
    CU_ASSERT(said);
    CU_ASSERT_PTR_NULL(house.name);
    CU_ASSERT_PTR_NULL(house.guests.item);
    CU_ASSERT_PTR_NULL(house.doors.section);
}

static void test_what_is_not_given_has_its_default(void)
{
    MUST(read_text("name = \"casa\"\n"));
    CU_ASSERT_EQUAL(house.rooms, 3);
    CU_ASSERT_EQUAL(house.colour, 1);
    CU_ASSERT_STRING_EQUAL(house.name, "casa");
    CU_ASSERT_STRING_EQUAL(house.motto, "");
    CU_ASSERT_EQUAL_FATAL(house.guests.count, 2);
    CU_ASSERT_STRING_EQUAL(house.guests.item[0], "ana");
    CU_ASSERT_STRING_EQUAL(house.guests.item[1], "luis");
    CU_ASSERT_EQUAL(house.pets.count, 0);
    CU_ASSERT_EQUAL(house.doors.count, 0);
    clear();
}

static void test_what_is_given_is_read(void)
{
    MUST(read_text("# a comment\nrooms = -5\ncolour = blue\nname = 'casa'\nguests = {\"eva\"}\n"
                   "pets = {\"cat\", \"dog\", \"\"}\n"
                   "door \"front\" { address = \"street\" wait_ms = 50 }\n"
                   "door \"back\" {\n address = \"garden\"\n callers = {\"a/b\"}\n}\n"
                   "window \"front\" { address = \"street\" }\n"));
    CU_ASSERT_EQUAL(house.rooms, -5);
    CU_ASSERT_EQUAL(house.colour, 2);
    CU_ASSERT_EQUAL_FATAL(house.guests.count, 1);
    CU_ASSERT_STRING_EQUAL(house.guests.item[0], "eva");
    CU_ASSERT_EQUAL_FATAL(house.pets.count, 3);
    CU_ASSERT_STRING_EQUAL(house.pets.item[2], "");
    CU_ASSERT_EQUAL_FATAL(house.doors.count, 2);
    CU_ASSERT_EQUAL(house.windows.count, 1);
    const struct door *front = house.doors.section[0];
    const struct door *back = house.doors.section[1];
    CU_ASSERT_STRING_EQUAL(front->title, "front");
    CU_ASSERT_EQUAL(front->wait_ms, 50);
    CU_ASSERT_STRING_EQUAL(back->address, "garden");
    CU_ASSERT_EQUAL(back->wait_ms, 1000);
    CU_ASSERT_EQUAL_FATAL(back->callers.count, 1);
    CU_ASSERT_STRING_EQUAL(back->callers.item[0], "a/b");
    clear();
}

static void test_an_empty_list_is_not_its_default(void)
{
    MUST(read_text("name = x\nguests = {}\n"));
    CU_ASSERT_EQUAL(house.guests.count, 0);
    clear();
}

static void test_an_unknown_name_is_refused_with_its_line(void)
{
    must_refuse("name = x\n\nroms = 4\n", "house.conf:3:", "roms");
    must_refuse("name = x\ndoor \"a\" {\n address = a\n colour = red\n}\n",
                "house.conf:4:", "colour");
}

static void test_a_value_out_of_bounds_says_file_name_value_bounds_and_meaning(void)
{
    must_refuse("name = x\ndoor \"a\" {\n address = a\n wait_ms = 5\n}\n", "house.conf",
                "door \"a\": wait_ms = 5 is outside 50..600000 (how long to knock (milliseconds))");
    must_refuse("name = x\nrooms = -6\n", "house.conf", "rooms = -6 is outside -5..");
    must_refuse("name = x\nrooms = 9223372036854775808\n", "rooms", "9223372036854775808");
}

static void test_a_number_is_a_plain_whole_number(void)
{
    static const char *const bad[] = {"5k",     "0x10", "1.5",    "\"\"",
                                      "\" 5\"", "five", "\"+5\"", "\"5 \""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "name = x\nrooms = %s\n", bad[i]);
        must_refuse(text, "house.conf", "rooms");
    }
    MUST(read_text("name = x\nrooms = 007\n"));
    CU_ASSERT_EQUAL(house.rooms, 7);
    clear();
}

static void test_a_missing_setting_is_named(void)
{
    must_refuse("rooms = 1\n", "house.conf", "name is missing (what it is called)");
    must_refuse("name = x\ndoor \"a\" { }\n", "door \"a\"", "address is missing");
}

static void test_a_text_has_its_length_and_a_choice_its_words(void)
{
    must_refuse("name = 12345678901\n", "name", "too long");
    must_refuse("name = x\ndoor \"a\" { address = \"\" }\n", "address", "too short");
    must_refuse("name = x\ncolour = pink\n", "colour = pink", "red|green|blue");
    must_refuse("name = x\ncolour = gree\n", "colour = gree", "red|green|blue");
    must_refuse("name = x\ncolour = \"red|green\"\n", "colour", "red|green|blue");
}

static void test_a_section_title_stands_once(void)
{
    must_refuse("name = x\ndoor \"a\" { address = b }\ndoor \"a\" { address = c }\n",
                "house.conf:3:", "'a'");
}

static void test_a_broken_file_is_refused_with_its_line(void)
{
    must_refuse("name = x\nrooms = \n", "house.conf:", "");
    must_refuse("name = x\ndoor \"a\" {\n", "house.conf:", "");
    must_refuse("name = x\n}\n", "house.conf:2:", "");
    must_refuse("name = \"x\n", "house.conf:", "");
}

static void test_a_missing_file_or_a_folder_is_refused(void)
{
    house = (struct house){0};
    MUST_FAIL(BAD_CONFIG, config_read("/nowhere/house.conf", NULL, house_settings, &house));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "/nowhere/house.conf"));
    MUST_FAIL(BAD_CONFIG, config_read(unit_folder(), NULL, house_settings, &house));
}

static void test_an_included_file_is_read(void)
{
    char text[400];
    folder = unit_folder();
    write_in_folder("more.conf", "rooms = 8\ndoor \"a\" { address = b }\n");
    snprintf(text, sizeof text, "name = x\ninclude(\"%s\")\n", path);
    house = (struct house){0};
    MUST(config_read(write_in_folder("house.conf", text), NULL, house_settings, &house));
    CU_ASSERT_EQUAL(house.rooms, 8);
    CU_ASSERT_EQUAL(house.doors.count, 1);
    clear();
    must_refuse("name = x\ninclude(\"/tmp\")\n", "house.conf:2:", "/tmp is a folder");
    must_refuse("name = x\ninclude(\"/nowhere/at/all\")\n", "house.conf", "");
}

static fault read_with_glob(const char *first, const char *second)
{
    char pattern[256], main_path[256];
    folder = unit_folder();
    snprintf(main_path, sizeof main_path, "%s",
             write_in_folder("house.conf", "name = x\ndoor \"0\" { address = main }\n"));
    write_in_folder("b.door", second);
    write_in_folder("a.door", first);
    write_in_folder("c.other", "nonsense {");
    snprintf(pattern, sizeof pattern, "%s/*.door", folder);
    house = (struct house){0};
    return config_read(main_path, pattern, house_settings, &house);
}

static void test_files_of_the_glob_add_sections_in_order_of_their_names(void)
{
    MUST(read_with_glob("door \"a\" { address = one }\n", "door \"b\" { address = two }\n"));
    CU_ASSERT_EQUAL_FATAL(house.doors.count, 3);
    CU_ASSERT_STRING_EQUAL(((struct door *)house.doors.section[0])->title, "0");
    CU_ASSERT_STRING_EQUAL(((struct door *)house.doors.section[1])->title, "a");
    CU_ASSERT_STRING_EQUAL(((struct door *)house.doors.section[2])->title, "b");
    CU_ASSERT_EQUAL(house.guests.count, 2);
    clear();
}

static void test_a_glob_without_files_is_fine(void)
{
    folder = unit_folder();
    char pattern[256];
    snprintf(pattern, sizeof pattern, "%s/none/*.conf", folder);
    house = (struct house){0};
    MUST(config_read(write_in_folder("house.conf", "name = x\n"), pattern, house_settings, &house));
    clear();
}

static void must_refuse_glob(const char *first, const char *second, const char *file,
                             const char *word)
{
    MUST_FAIL(BAD_CONFIG, read_with_glob(first, second));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), file));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), word));
    CU_ASSERT_PTR_NULL(house.doors.section);
}

static void test_a_title_that_stands_in_another_file_is_refused(void)
{
    must_refuse_glob("door \"a\" { address = x }\n", "door \"a\" { address = x }\n", "b.door",
                     "door \"a\"");
    must_refuse_glob("door \"0\" { address = x }\n", "", "a.door", "door \"0\"");
}

static void test_a_file_of_the_glob_holds_sections_only(void)
{
    must_refuse_glob("rooms = 3\n", "", "a.door", "rooms");
    must_refuse_glob("guests = {\"x\"}\n", "", "a.door", "guests");
    must_refuse_glob("", "door \"b\" { wait_ms = 1 }\n", "b.door", "door \"b\"");
}

static void test_what_is_printed_is_read_back(void)
{
    MUST(read_text("rooms = -2\ncolour = red\nname = \"a\\\"b\\\\c\"\nguests = {}\n"
                   "motto = \"two\\nlines \\${HOME} # not a comment ' \xc3\xb1\"\n"
                   "pets = {\"a,b\", \"c\\\"d\"}\n"
                   "door \"we\\\"ird\" { address = \"x\" callers = {\"1\",\"2\"} }\n"));
    CU_ASSERT_STRING_EQUAL(house.name, "a\"b\\c");
    CU_ASSERT_STRING_EQUAL(house.motto, "two\nlines ${HOME} # not a comment ' \xc3\xb1");
    char *printed = NULL, *again = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    config_print(house_settings, &house, out);
    fclose(out);
    clear();
    MUST(read_text(printed));
    CU_ASSERT_STRING_EQUAL(house.motto, "two\nlines ${HOME} # not a comment ' \xc3\xb1");
    CU_ASSERT_EQUAL(house.guests.count, 0);
    out = open_memstream(&again, &size);
    config_print(house_settings, &house, out);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(printed, again);
    clear();
    free(printed);
    free(again);
}

static void test_the_document_names_every_setting(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    config_document("chaski-house", house_settings, out);
    fclose(out);
    static const char *const rows[] = {
        "## chaski-house\n",
        "| `rooms` | 3 | -5..9223372036854775807 | how many rooms |\n",
        "| `colour` | `green` | `red`, `green`, `blue` | its colour |\n",
        "| `name` | *must be given* | at most 10 bytes | what it is called |\n",
        "| `motto` | empty | at most 4096 bytes | above the door |\n",
        "| `guests` | `ana,luis` | list | who lives there |\n",
        "### `door \"...\" { }`\n\nA way in.\n",
        "| `address` | *must be given* | 1..20 bytes | where it leads |\n",
        "| `wait_ms` | 1000 | 50..600000 | how long to knock (milliseconds) |\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_PTR_NOT_NULL(strstr(text, rows[i]));
        if (strstr(text, rows[i]) == NULL)
            fprintf(stderr, "  not there: %s", rows[i]);
    }
    free(text);
}

SUITE(config, TEST(test_what_is_not_given_has_its_default), TEST(test_what_is_given_is_read),
      TEST(test_an_empty_list_is_not_its_default),
      TEST(test_an_unknown_name_is_refused_with_its_line),
      TEST(test_a_value_out_of_bounds_says_file_name_value_bounds_and_meaning),
      TEST(test_a_number_is_a_plain_whole_number), TEST(test_a_missing_setting_is_named),
      TEST(test_a_text_has_its_length_and_a_choice_its_words),
      TEST(test_a_section_title_stands_once), TEST(test_a_broken_file_is_refused_with_its_line),
      TEST(test_a_missing_file_or_a_folder_is_refused), TEST(test_an_included_file_is_read),
      TEST(test_files_of_the_glob_add_sections_in_order_of_their_names),
      TEST(test_a_glob_without_files_is_fine),
      TEST(test_a_title_that_stands_in_another_file_is_refused),
      TEST(test_a_file_of_the_glob_holds_sections_only), TEST(test_what_is_printed_is_read_back),
      TEST(test_the_document_names_every_setting))
