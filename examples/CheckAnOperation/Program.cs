using Data2Vec.Engine;
using Data2Vec.Kernels;

// An operation of one's own, x * sigmoid(x) * exp(-y), checked against finite differences in double precision.
static Tensor GatedDecay(Tensor x, Tensor y) => Ops.Mul(Ops.Mul(x, Ops.Sigmoid(x)), Ops.Exp(Ops.Neg(y)));

using var device = Device.Parse("reference");
var stream = new PhiloxStream(new RandomKey(1, 0, 0, 0));
GradCheckInput Normal(Shape shape) =>
    new([.. Enumerable.Range(0, (int)shape.Count).Select(_ => stream.NextNormal())], shape);

var report = GradCheck.Run(device, t => GatedDecay(t[0], t[1]), [Normal(new Shape(4, 3)), Normal(new Shape(3))]);
Console.WriteLine($"{report.Checked} derivatives, worst relative error {report.WorstError:E1}, "
    + $"along a random direction {report.DirectionError:E1}");
return report.Passes(1e-6) ? 0 : 1;
