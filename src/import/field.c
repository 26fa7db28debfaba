/* field: one row for every spelling of a header, the better ones first. */
#include "import/field.h"

#include <string.h>

static const struct {
    enum field field;
    const char *names; /* separated by blanks, in order of preference */
} spellings[] = {
    {FIELD_TIME, "timestamp unix opentime datetime unixtime unixtimestamp epoch ts date time t day "
                 "bucket windowstart gmttime localtime utctime starttime begin start index period "
                 "tradedate traddt date1 timestampms timestamputc dateutc datetimeutc"},
    {FIELD_CLOCK, "time clock timeofday hour"},
    {FIELD_OPEN, "open o openprice priceopen opnpric opening first openbid bidopen"},
    {FIELD_HIGH, "high h highprice pricehigh hghpric max highbid bidhigh"},
    {FIELD_LOW, "low l lowprice pricelow lwpric min lowbid bidlow"},
    {FIELD_CLOSE, "close c closeprice priceclose clspric closing last price closebid bidclose"},
    {FIELD_VOLUME,
     "volume v vol basevolume volumebase volumefrom totalvolume tradedvolume tickvolume "
     "tickvol qty quantity totaltradequantity tottrdqty ttltrdqnty ttltradgvol shares"},
    {FIELD_SYMBOL, "symbol ticker pair instrument tckrsymb tic sym"},
};

const char *const *import_field_names(void)
{
    static const char *const names[] = {
#define FIELD(id, name) name,
#include "import/field.def"
#undef FIELD
        NULL,
    };
    return names;
}

size_t field_plain_name(struct text name, char plain[LAYOUT_NAME_MAX])
{
    size_t length = 0;

    for (size_t i = 0; i < name.length && length < LAYOUT_NAME_MAX - 1; i++) {
        char c = name.at[i], lower = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;

        if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9'))
            plain[length++] = lower;
    }
    plain[length] = '\0';
    return length;
}

unsigned field_rank(enum field field, const char *plain)
{
    size_t length = strlen(plain);
    unsigned rank = 1;

    if (length == 0)
        return 0;
    for (size_t i = 0; i < ARRAY_COUNT(spellings); i++) {
        if (spellings[i].field != field)
            continue;
        for (const char *at = spellings[i].names; *at; rank++) {
            size_t word = strcspn(at, " ");

            if (word == length && memcmp(at, plain, word) == 0)
                return rank;
            at += word + (at[word] == ' ');
        }
    }
    return field == FIELD_VOLUME && *field_volume_unit(plain) ? rank : 0;
}

const char *field_volume_unit(const char *plain)
{
    static const char volume[] = "volume";

    return strncmp(plain, volume, sizeof volume - 1) == 0 ? plain + sizeof volume - 1 : "";
}
