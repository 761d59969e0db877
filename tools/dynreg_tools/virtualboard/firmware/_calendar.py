"""Dates and seconds since 1970, by numbers that no host's time_t limits. Device side."""

_EPOCH = 719468  # days from 1 March of the year 0 to 1 January 1970, Gregorian


def _days(year, month, day):
    """Days since 1970-01-01; month and day may lie outside their ranges, as for mktime()."""
    year += (month - 3) // 12  # the year begins with March, so that its leap day is the last
    month = (month - 3) % 12
    leaps = year // 4 - year // 100 + year // 400
    return 365 * year + leaps + (153 * month + 2) // 5 + day - 1 - _EPOCH


def unix(year, month, day, hour, minute, second):
    """Seconds since 1970."""
    return ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second


def date(seconds):
    """(year, month, day, hour, minute, second, weekday, day of the year) of a Unix time."""
    days, rest = divmod(seconds, 86400)
    eras, left = divmod(days + _EPOCH, 146097)
    years = (left - left // 1460 + left // 36524 - left // 146096) // 365
    left -= 365 * years + years // 4 - years // 100
    month = (5 * left + 2) // 153
    day = left - (153 * month + 2) // 5 + 1
    year = 400 * eras + years + (month + 2) // 12
    month = (month + 2) % 12 + 1
    of_year = days - _days(year, 1, 1) + 1
    return (year, month, day, rest // 3600, rest // 60 % 60, rest % 60, (days + 3) % 7, of_year)
