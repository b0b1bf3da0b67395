package simulator

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time in a fleet file or a fault, written as Go writes
// it ("8m", "1h30m") or in ISO 8601 as DRS does ("PT3S", "P1DT2H").
type Duration time.Duration

// maxDuration bounds what a file may say, so that no sum of times overflows.
const maxDuration = 10 * 365 * 24 * time.Hour

var isoDuration = regexp.MustCompile(`^P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10}(?:\.\d{1,9})?)S)?)?$`)

// ParseDuration reads either spelling. Negative spans are refused: nothing that
// a fleet says lies in the future.
func ParseDuration(s string) (Duration, error) {
	if m := isoDuration.FindStringSubmatch(s); m != nil && s != "P" && !strings.HasSuffix(s, "T") {
		var total float64
		for i, unit := range []float64{24 * 3600, 3600, 60, 1} {
			if m[i+1] != "" {
				n, err := strconv.ParseFloat(m[i+1], 64)
				if err != nil {
					return 0, fmt.Errorf("%q is not a duration", s)
				}
				total += n * unit
			}
		}
		if total > maxDuration.Seconds() {
			return 0, fmt.Errorf("%q is longer than ten years", s)
		}
		return Duration(math.Round(total * float64(time.Second))), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration (write 8m, 1h30m or PT3S)", s)
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is negative", s)
	}
	if d > maxDuration {
		return 0, fmt.Errorf("%q is longer than ten years", s)
	}
	return Duration(d), nil
}

// String writes the span as Go does.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes the span as Go does, so that faults read back as they were given.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads either spelling.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	*d = v
	return err
}

// isoSpan writes d as DRS writes lagDuration and elapsedReplicationDuration:
// ISO 8601, days and below.
func isoSpan(d time.Duration) string {
	var b strings.Builder
	b.WriteByte('P')
	if days := d / (24 * time.Hour); days > 0 {
		fmt.Fprintf(&b, "%dD", days)
		d -= days * 24 * time.Hour
	}
	if d == 0 && b.Len() > 1 {
		return b.String()
	}
	b.WriteByte('T')
	if h := d / time.Hour; h > 0 {
		fmt.Fprintf(&b, "%dH", h)
		d -= h * time.Hour
	}
	if m := d / time.Minute; m > 0 {
		fmt.Fprintf(&b, "%dM", m)
		d -= m * time.Minute
	}
	if d > 0 || strings.HasSuffix(b.String(), "T") {
		b.WriteString(strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "S")
	}
	return b.String()
}

// stamp writes a moment as DRS does: UTC, ISO 8601, microseconds at most, a Z.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
