package main

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"
)

// metric is the name of one of the function's metrics, in the namespace Muster.
type metric string

// The metrics.
const (
	executionsInterrupted metric = "ExecutionsInterrupted"
	wavesFailed           metric = "WavesFailed"
	throttles             metric = "Throttles"
	decisionWait          metric = "DecisionWaitSeconds"
)

// metricsTable is every metric that there is. Each has an alarm in
// deploy/hub.yaml, and a row in docs/lambda.md.
var metricsTable = []struct {
	name metric
	unit string // CloudWatch's
}{
	{executionsInterrupted, "Count"},
	{wavesFailed, "Count"},
	{throttles, "Count"},
	{decisionWait, "Seconds"},
}

// metrics writes metrics into the log, in CloudWatch's embedded metric format:
// CloudWatch reads them there, and nobody is called for it.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type metrics struct {
	log       *slog.Logger
	function  string // the one dimension
	throttled atomic.Int64
}

// newMetrics writes to where the logs go, whatever level those have.
func newMetrics(w io.Writer, function string) *metrics {
	return &metrics{log: slog.New(slog.NewJSONHandler(w, nil)), function: function}
}

type embedded struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type definition struct{ Name, Unit string }

func (m *metrics) emit(name metric, value float64) {
	for _, row := range metricsTable {
		if row.name != name {
			continue
		}
		m.log.LogAttrs(context.Background(), slog.LevelInfo, "metric",
			slog.Any("_aws", embedded{time.Now().UnixMilli(), []directive{{"Muster", [][]string{{"Function"}}, []definition{{string(name), row.unit}}}}}),
			slog.String("Function", m.function), slog.Float64(string(name), value))
	}
}

// throttle counts a call that AWS throttled. It may be called from many
// goroutines.
func (m *metrics) throttle(service, operation string) { m.throttled.Add(1) }

// flush writes what was counted since it was last called.
func (m *metrics) flush() {
	if n := m.throttled.Swap(0); n > 0 {
		m.emit(throttles, float64(n))
	}
}
