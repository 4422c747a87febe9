namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void MatMul(in MatMulArgs a)
    {
        var batch = new StridedWalk(a.Batch);
        for (long b = 0; b < a.Batch.Count; b++, batch.Next())
        {
            var (atA, atB, atC) = (batch.Offset(a.ABatch), batch.Offset(a.BBatch), batch.Offset(a.CBatch));
            for (var i = 0; i < a.M; i++)
            {
                for (var j = 0; j < a.N; j++)
                {
                    double sum = 0;
                    for (var k = 0; k < a.K; k++)
                        sum += Get(a.A, atA + i * a.ARow + k * a.AColumn) * Get(a.B, atB + k * a.BRow + j * a.BColumn);
                    var c = atC + i * a.CRow + j;
                    Set(a.C, c, a.Alpha * sum + (a.Accumulate ? Get(a.C, c) : 0));
                }
            }
        }
    }
}
