package dynamo

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// schema is the shape of the records that this version writes, and the newest
// that it reads. A change that an older version would misread raises it.
const schema = 1

// item is an item of the table, or its key.
type item = map[string]types.AttributeValue

// The table's attributes. What package recovery makes JSON of is kept as that
// JSON, in opened and record; the others are for keys, conditions, the index,
// and people.
const (
	attrPK = "pk"
	attrSK = "sk"

	attrSchema        = "schema"
	attrVersion       = "version" // of a header: the execution's; of an attempt: that which came of writing it
	attrPlanID        = "planId"
	attrType          = "type"
	attrStartTime     = "startTime"
	attrInitiatedBy   = "initiatedBy"
	attrLastEvent     = "lastEvent"
	attrLastEventHash = "lastEventHash"
	attrOpened        = "opened"
	attrOutcome       = "outcome"
	attrWorld         = "world"  // that the execution belongs to; none: it is one of before, and not bound yet
	attrDriver        = "driver" // the process that drives it, or drove it last; beside the version
	attrDriverID      = "driverId"
	attrPieces        = "pieces"  // how many the frozen plan has; none: there is no plan
	attrWrite         = "write"   // a random mark of the write that made the item what it is
	attrList          = "list"    // key of the index
	attrChanged       = "changed" // key of the index

	attrRecord  = "record"
	attrWave    = "wave"
	attrAttempt = "attempt"
	attrState   = "state"
	attrJobID   = "jobId"
	attrKind    = "kind"
	attrAt      = "at"

	attrExecution = "execution" // of what holds a plan: the holder
)

// Sort keys within an execution. A header and the newest attempts are read by
// one query, sk >= EXECUTION; earlier attempts and the log come before it, so
// that what is read never grows with them.
const (
	skHeader  = "EXECUTION"
	skEarlier = "EARLIER#"
	skEvent   = "EVENT#"
	skWave    = "WAVE#"
	skHeld    = "HELD"
	skPiece   = "PIECE#"
	skRecord  = "RECORD"
)

func key(pk, sk string) item { return item{attrPK: text(pk), attrSK: text(sk)} }

func executionPK[ID ~string](id ID) string { return "EXECUTION#" + string(id) }
func frozenPK[ID ~string](id ID) string    { return "FROZEN#" + string(id) } // the plan of an execution
func heldPK[ID ~string](id ID) string      { return "HELD#" + string(id) }   // what holds a plan

// pkWorld is the partition of what says which record this is.
const pkWorld = "WORLD"

func waveSK(wave int) string { return fmt.Sprintf("%s%04d", skWave, wave) }

func earlierSK(wave, attempt int) string {
	return fmt.Sprintf("%s%04d#A%02d", skEarlier, wave, attempt)
}

// waveName is the attribute of a header that says which version came of writing
// the newest attempt at a wave.
func waveName(wave int) string { return fmt.Sprintf("w%d", wave) }

func isWaveName(name string) bool {
	_, err := strconv.Atoi(name[1:])
	return name[0] == 'w' && err == nil
}

func eventSK(number int64) string { return fmt.Sprintf("%s%08d", skEvent, number) }
func pieceSK(n int) string        { return fmt.Sprintf("%s%04d", skPiece, n) }

func text[T ~string](s T) types.AttributeValue { return &types.AttributeValueMemberS{Value: string(s)} }

func number[T ~int | ~int64](n T) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(int64(n), 10)}
}

func binary(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }

// textOf gives an attribute that is text, "" where there is none.
func textOf(i item, name string) string {
	if s, ok := i[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// numberOf gives an attribute that is a whole number, 0 where there is none.
func numberOf(i item, name string) int64 {
	if n, ok := i[name].(*types.AttributeValueMemberN); ok {
		v, _ := strconv.ParseInt(n.Value, 10, 64)
		return v
	}
	return 0
}

func bytesOf(i item, name string) []byte {
	if b, ok := i[name].(*types.AttributeValueMemberB); ok {
		return b.Value
	}
	return nil
}
