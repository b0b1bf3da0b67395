package awsdrs

import (
	"errors"
	"fmt"

	"muster/awserror"
	"muster/recovery"
)

// quotaExceeded says that only the end of other jobs cures the refusal: worth
// another event later, not another attempt now.
const quotaExceeded = "ServiceQuotaExceededException"

// expired says that AWS refused because the session is over. It refuses so
// before it looks at the request, which therefore had no effect.
func expired(err error) bool {
	var refused *recovery.ServiceError
	return errors.As(err, &refused) && refused.Expired()
}

// failure translates what the SDK answered for one attempt.
func (op operation) failure(err error, secrets []string) *recovery.ServiceError {
	passing := append([]string{quotaExceeded}, op.passing...)
	f := awserror.Call{Service: op.service, Operation: op.name, Effect: op.effect, Passing: passing, Secrets: secrets}.Failure(err)
	return &f.ServiceError
}

// refuse is our own refusal to send something.
func (op operation) refuse(format string, args ...any) error {
	return &recovery.ServiceError{Service: op.service, Operation: op.name, Message: "not sent: " + fmt.Sprintf(format, args...)}
}

// garbled is an answer that came and does not say what it must.
func (op operation) garbled(format string, args ...any) error {
	return &recovery.ServiceError{Service: op.service, Operation: op.name, Message: fmt.Sprintf(format, args...), Ambiguous: op.effect}
}
