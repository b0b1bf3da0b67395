package awslambda

import (
	"strings"

	"muster/awserror"
)

// Failed is a function that ended without an answer.
type Failed struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *Failed) Error() string {
	if e.Message == "" {
		return e.Type
	}
	return e.Type + ": " + e.Message
}

// Again says whether the function itself asks for the same event once more.
func (e *Failed) Again() bool { return strings.HasPrefix(e.Type, "Muster.") }

// Codes of what Lambda refuses, and of what is wrong with credentials.
const (
	NotFound      = "ResourceNotFoundException"
	AccessDenied  = "AccessDeniedException"
	Throttled     = "TooManyRequestsException"
	NoCredentials = "NoCredentials" // ours: none were found, or they could not be got
)

// failure translates what the SDK gave up with.
func failure(err error) error {
	f := awserror.Call{Service: "Lambda", Operation: "Invoke", Effect: true}.Failure(err)
	if f.Unsent && !f.Unreached { // it could not be signed, or it is not known where to
		f.Code = NoCredentials
	}
	return &f.ServiceError
}
