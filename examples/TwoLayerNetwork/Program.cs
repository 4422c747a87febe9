using Data2Vec.Engine;
using Data2Vec.Kernels;

// Learns y = sin(3 x) with one hidden layer and AdamW.
using var device = Device.Parse("cpu");
using var store = new ParameterStore(device);
var hidden = new LinearLayer(new ParameterScope(store, "hidden"), 1, 64, Initializers.Uniform(1));
var output = new LinearLayer(new ParameterScope(store, "output"), 64, 1, Initializers.XavierUniform);
store.Build(seed: 1);
using var step = new StepState(device);

var x = Enumerable.Range(0, 128).Select(i => i / 64f - 1).ToArray();
var y = x.Select(v => MathF.Sin(3 * v)).ToArray();
for (var i = 0; i < 500; i++)
{
    using var scope = device.Scope();
    using var tape = new Tape(device);
    using var parameters = store.Student(tape);
    var h = hidden.Forward(parameters, Tensor.From<float>(device, x, new Shape(128, 1)), Activation.Gelu);
    var prediction = output.Forward(parameters, h);
    var loss = Ops.SmoothL1(prediction, Tensor.From<float>(device, y, new Shape(128, 1)), beta: 0);

    store.ClearGradients();
    tape.Backward(loss);
    step.Values.LearningRate = 0.01;
    step.Upload();
    store.ComputeGradientNorm(step);
    store.Update(new AdamOptions(), step);
    if (i % 100 == 99) Console.WriteLine($"step {i + 1}: mean squared error {loss.Item():F5}");
}
