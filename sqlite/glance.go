package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
)

// NewestStart gives the start time of the execution in a file that was begun
// last, as its begin said it; "" where there is none. It changes nothing, and
// reads files of every version.
func NewestStart(ctx context.Context, path string) (start string, err error) {
	query := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(1000)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String())
	if err != nil {
		return "", err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, `SELECT start_time FROM executions ORDER BY start_time DESC LIMIT 1`).Scan(&start)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return start, err
}
