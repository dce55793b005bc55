package main

func init() { measures["channel"] = channel }

func channel() {
	messages := make(chan *int)
	go func() {
		for {
			<-messages
		}
	}()
	go func() {
		for i := 0; i < 100; i++ {
			messages <- nil
		}
		begun()
		for turn() {
			messages <- nil
		}
		done(map[string]float64{"ns": each()})
	}()
}
