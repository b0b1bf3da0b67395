package recovery_test

import (
	"errors"
	"io"
	"testing"

	"muster/recovery"
)

func TestAServiceErrorIsJudgedByItsCode(t *testing.T) {
	for code, want := range map[string]struct{ conflict, throttled bool }{
		"ConflictException": {conflict: true}, "ThrottlingException": {throttled: true}, "RequestLimitExceeded": {throttled: true},
		"Throttling": {throttled: true}, "TooManyRequestsException": {throttled: true},
		"ValidationException": {}, "ServiceQuotaExceededException": {}, "": {},
	} {
		e := &recovery.ServiceError{Code: code, Message: "ConflictException: throttled"} // words do not count
		if e.Conflict() != want.conflict || e.Throttled() != want.throttled {
			t.Errorf("%q: got conflict %v, throttled %v", code, e.Conflict(), e.Throttled())
		}
	}
}

func TestErrorsSayWhatTheContractSays(t *testing.T) {
	service := &recovery.ServiceError{Service: "DRS", Operation: "StartRecovery", Code: "ConflictException", Message: "server s-1 is in use", Err: io.ErrUnexpectedEOF}
	lost := &recovery.ServiceError{Service: "DRS", Operation: "StartRecovery", Message: "the connection broke"}
	config := &recovery.ConfigError{Server: "s-1", Settings: []recovery.Setting{recovery.Subnet}, Doing: "reading its launch template", Err: service}
	two := &recovery.ConfigError{Server: "s-1", Settings: []recovery.Setting{recovery.InstanceType, recovery.Subnet}, Doing: "making a version of its launch template", Err: service}
	whole := &recovery.ConfigError{Server: "s-1", Doing: "reading its launch template", Err: service}
	business := &recovery.Error{Code: recovery.DRSAPIError, Message: "Failed to start recovery: " + service.Detail(), Err: service}
	for _, c := range []struct {
		got, want string
	}{
		{service.Detail(), "ConflictException - server s-1 is in use"},
		{service.Error(), "DRS StartRecovery: ConflictException - server s-1 is in use"},
		{lost.Error(), "DRS StartRecovery: the connection broke"},
		{(&recovery.ServiceError{Code: "InsufficientCapacity"}).Detail(), "InsufficientCapacity"},
		{(&recovery.ServiceError{Code: "InsufficientCapacity", Message: "InsufficientCapacity"}).Detail(), "InsufficientCapacity"},
		{business.Error(), "DRS_API_ERROR: Failed to start recovery: ConflictException - server s-1 is in use"},
		{config.Error(), "server s-1, subnet: reading its launch template: DRS StartRecovery: ConflictException - server s-1 is in use"},
		{two.Error(), "server s-1, instanceType, subnet: making a version of its launch template: DRS StartRecovery: ConflictException - server s-1 is in use"},
		{whole.Error(), "server s-1: reading its launch template: DRS StartRecovery: ConflictException - server s-1 is in use"},
		{recovery.Errorf(recovery.ValidationError, "wave %d", 3).Error(), "VALIDATION_ERROR: wave 3"},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
	for _, err := range []error{service, config, business} {
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%T hides its cause", err)
		}
	}
}
