package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"muster/recovery"
)

// hold takes hold of the plan for an execution that is being opened, or finds
// out who holds it, and lets go of it for one that ends.
func (w *writing) hold() []part {
	e := w.c.Execution
	held := key(heldPK(e.Plan), skHeld)
	switch {
	case e.Waves == nil:
		return nil
	case e.Version == 0 && e.Ended == nil:
		condition, values := absent, item{":execution": text(e.ID)}
		if w.c.TakeFrom != "" {
			condition += " OR #" + attrExecution + " = :from"
			values[":from"] = text(w.c.TakeFrom)
		}
		return []part{w.s.update(held, "SET #"+attrExecution+" = :execution", condition, values, func(found item, _ bool) error {
			return &recovery.PlanHeld{By: recovery.ExecutionID(textOf(found, attrExecution))}
		})}
	case e.Ended != nil && !w.letGo:
		condition := absent + " OR #" + attrExecution + " = :execution"
		return []part{{types.TransactWriteItem{Delete: &types.Delete{
			TableName: &w.s.table, Key: held, ConditionExpression: aws.String(condition),
			ExpressionAttributeNames: names(condition), ExpressionAttributeValues: item{":execution": text(e.ID)},
		}}, func(item, bool) error { return errLetGo }}}
	}
	return nil
}
