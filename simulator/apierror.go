package simulator

import "net/http"

// apiError is an answer that AWS gives instead of a result. Each protocol writes it in its own way: rest-json puts Code
// into a header and Extra into the body, the query protocol writes XML and has no room for Extra.
type apiError struct {
	Status  int    // the HTTP status
	Code    string // AWS's own code, by which clients judge
	Message string
	Header  http.Header    // further headers, such as Retry-After; may be nil
	Extra   map[string]any // further members of a rest-json error's body, such as resourceId; may be nil
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }
